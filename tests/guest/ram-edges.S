/* RAM from its first byte to its last (128 MiB), and across pages; behind it is nothing. */
// args: -m 128
#include "guest.inc"
#define END 0x8000000
	GUEST32
	movl	$0x11223344, END - 4
	cmpl	$0x11223344, END - 4
	jne	1f
	cmpb	$0, END
	jne	2f
	cmpl	$0x1122, END - 2	/* half RAM, half nothing */
	jne	3f
	movl	$0xaabbccdd, 0x200ffe	/* two pages */
	cmpl	$0xaabbccdd, 0x200ffe
	jne	4f
	PASS
1:	FAIL	1
2:	FAIL	2
3:	FAIL	3
4:	FAIL	4
