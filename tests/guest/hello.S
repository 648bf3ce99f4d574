/* The first instruction runs, a port takes a byte, the guest ends the process. */
// output: hello
#include "guest.inc"
	GUEST16
	mov	$(text - ROM), %si
	mov	$5, %cx
	mov	$PORT_TEXT, %dx
	cs rep outsb
	PASS
text:	.ascii	"hello"
