#include "datasets/datasets.h"
