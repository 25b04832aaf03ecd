/* SPDX-License-Identifier: Apache-2.0 */
/* TFRecord, the container of TensorBoard's event files: records one after another,
 *
 *   u64 length, u32 check of the length, length bytes, u32 check of the bytes
 *
 * little-endian; a check is a masked CRC-32C.
 * https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details */
#ifndef AFN_IO_TFRECORD_H
#define AFN_IO_TFRECORD_H

#include "base/base.h"

/* CRC-32C (Castagnoli), as RFC 3720 has it: of "123456789" it is 0xe3069283. */
uint32_t afn_crc32c(const void *bytes, size_t n);

/* Append a record. */
void afn_tfrecord_add(afn_buf *file, const void *bytes, size_t n);

/* Bytes of the records that a file begins with, until the first that is cut off or
 * damaged. */
size_t afn_tfrecord_whole(const void *file, size_t n);

#endif
