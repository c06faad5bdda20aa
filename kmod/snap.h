/* SPDX-License-Identifier: GPL-2.0-only */
/* snap.h - the read-only view of one cut */
#ifndef _TIDEMARK_SNAP_H
#define _TIDEMARK_SNAP_H

int tm_snap_register(void);
void tm_snap_unregister(void);

#endif /* _TIDEMARK_SNAP_H */
