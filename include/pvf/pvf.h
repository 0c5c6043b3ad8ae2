/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PVF_H
#define PVF_PVF_H

/* The whole public face of libpvf. */
#include "pvf/error.h"
#include "pvf/export.h"
#include "pvf/host.h"
#include "pvf/log.h"
#include "pvf/metrics.h"
#include "pvf/outcome.h"
#include "pvf/service.h"
#include "pvf/status.h"
#include "pvf/types.h"
#include "pvf/version.h"

#endif
