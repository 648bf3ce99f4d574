/* The timer's interrupt ends HLT, again and again. */
// output: ...
// needs: hardware
#include "guest.inc"
	GUEST32
	GATE	0x20, tick
	SET_UP_PICS
	mov	$0xfe, %al
	out	%al, $0x21
	mov	$0x34, %al		/* counter 0, mode 2, 1 ms */
	out	%al, $0x43
	mov	$0xa9, %al
	out	%al, $0x40
	mov	$0x04, %al
	out	%al, $0x40
	sti
wait:	hlt
	cmpb	$3, SCRATCH
	jb	wait
	PASS
tick:	cmpb	$3, SCRATCH
	jae	end
	incb	SCRATCH
	TEXT	'.'
end:	mov	$0x20, %al
	out	%al, $0x20
	iret
