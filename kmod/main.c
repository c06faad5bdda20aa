// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - registers two targets, and looks out for hibernation
 */
#include <linux/module.h>
#include <linux/suspend.h>
#include "origin.h"
#include "session.h"
#include "snap.h"

static int pm_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == PM_HIBERNATION_PREPARE)
		tm_session_hibernate(true);
	else if (event == PM_POST_HIBERNATION)
		tm_session_hibernate(false);
	return NOTIFY_DONE;
}

static struct notifier_block pm_notifier = { .notifier_call = pm_notify };

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
	r = register_pm_notifier(&pm_notifier);
	if (r)
		goto err_snap;
	return 0;

err_snap:
	tm_snap_unregister();
err_origin:
	tm_origin_unregister();
err_session:
	tm_session_module_exit();
	return r;
}

static void __exit tm_exit(void)
{
	unregister_pm_notifier(&pm_notifier);
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
