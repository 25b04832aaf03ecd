/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/base: errors, memory, strings, files, threads, random numbers,
 * checked arithmetic and the log.  Hides the operating system. */
#ifndef AFN_BASE_H
#define AFN_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/file.h"
#include "base/growing.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/rng.h"
#include "base/room.h"
#include "base/str.h"
#include "base/thread.h"
#include "base/translate.h"

#define AFN_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
