/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXPORT_H
#define PVF_EXPORT_H

/* Every function of the public headers carries this; nothing else leaves the shared library. */
#define PVF_API __attribute__((visibility("default")))

/* The result tells whether the outputs mean anything. */
#define PVF_NODISCARD __attribute__((warn_unused_result))

#endif
