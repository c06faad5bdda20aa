/* SPDX-License-Identifier: GPL-2.0-only */
/* origin.h - the tracking target */
#ifndef _TIDEMARK_ORIGIN_H
#define _TIDEMARK_ORIGIN_H

int tm_origin_register(void);
void tm_origin_unregister(void);

#endif /* _TIDEMARK_ORIGIN_H */
