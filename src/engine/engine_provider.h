/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_PROVIDER_H
#define PVF_ENGINE_ENGINE_PROVIDER_H

#include "hostcall/provider.h"

/* The host functions' cryptography, hashes and decompression, from the engine library. */
extern const struct pvf__crypto_provider pvf__engine_provider;

#endif
