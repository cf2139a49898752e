// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/pack_journal.h"
