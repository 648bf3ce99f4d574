/* No handler for the handler's fault: the machine resets, and -no-reboot makes that the end. */
// args: -no-reboot
// exit: 0
#include "guest.inc"
	GUEST32
	lidt	empty
	ud2
	FAIL	1
empty:	.quad	0
