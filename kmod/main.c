// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - registers two targets, nothing else
 */
#include <linux/module.h>
#include "origin.h"
#include "session.h"
#include "snap.h"

static int __init tm_init(void)
{
	int r;

	r = tm_session_module_init();
	if (r)
		return r;
	r = tm_origin_register();
	if (r)
		goto err_session;
	r = tm_snap_register();
	if (r)
		goto err_origin;
	return 0;

err_origin:
	tm_origin_unregister();
err_session:
	tm_session_module_exit();
	return r;
}

static void __exit tm_exit(void)
{
	tm_snap_unregister();
	tm_origin_unregister();
	tm_session_module_exit();
}

module_init(tm_init);
module_exit(tm_exit);

MODULE_DESCRIPTION("device-mapper targets that track changes and hold cuts");
MODULE_AUTHOR("Tidemark");
MODULE_ALIAS("dm-tidemark-snap");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
