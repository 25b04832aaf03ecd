/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/io: byte containers with no idea of tensors.  Hides file syntax.
 */
#ifndef AFN_IO_H
#define AFN_IO_H

#include "io/csv.h"
#include "io/gzip.h"
#include "io/idx.h"
#include "io/json.h"
#include "io/pickle.h"
#include "io/tar.h"
#include "io/tfrecord.h"
#include "io/zip.h"

#endif
