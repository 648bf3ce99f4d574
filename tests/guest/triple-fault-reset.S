/* A triple fault resets the CPU, RAM keeps its content: the second start finds what the first left. */
// output: 12
#include "guest.inc"
#define MARK 0x6000
	GUEST16
	cmpl	$0x12345678, MARK
	je	again
	movl	$0x12345678, MARK
	TEXT	'1'
	ENTER32
	lidt	empty
	ud2
	FAIL	1
	.code16
again:	movl	$0, MARK
	TEXT	'2'
	PASS
empty:	.quad	0
