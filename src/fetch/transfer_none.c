/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of transfer_curl.c where libcurl was not there when afina was built. */
#include "fetch/fetch.h"

afn_status afn_fetch__transfer(afn_transfer *t)
{
    return afn_fail(AFN_EUNSUPPORTED, "%s: this afina is built without libcurl",
                    t->url);
}
