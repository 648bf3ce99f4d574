/* REP OUTS of every width, and over a page boundary. */
// output: abcdefghijklmnop
#include "guest.inc"
	GUEST32
	mov	$text, %esi
	mov	$(SCRATCH + 0xff8), %edi
	mov	$16, %ecx
	rep movsb
	mov	$(SCRATCH + 0xff8), %esi
	mov	$PORT_TEXT, %edx
	mov	$16, %ecx
	rep outsb
	PASS
text:	.ascii	"abcdefghijklmnop"
