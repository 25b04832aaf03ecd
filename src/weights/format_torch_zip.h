/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/weights only: what the reader and the writer of the zip .pth share. */
#ifndef AFN_WEIGHTS_FORMAT_TORCH_ZIP_H
#define AFN_WEIGHTS_FORMAT_TORCH_ZIP_H

#include "weights/set.h"

#define AFN_TORCH_ZIP_METADATA "extra/metadata.json"

afn_status afn_weights__write_torch_zip(const afn_weights *w, afn_out *out);

#endif
