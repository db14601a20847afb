/* SPDX-License-Identifier: MIT */
/*
 * nolibc's architecture header for mips64 and mips64el (the n64 ABI), which its own arch-mips.h refuses.
 *
 * A system call has its number in v0 ($2) and up to six arguments in $4 to $9. The result comes back in v0, and a3 ($7)
 * is nonzero if it is an error. The kernel may change the registers that a function may change, but not those of the
 * arguments.
 *
 * Unused arguments are passed as zeros. That costs an instruction each, and saves six copies of the macro.
 */
#ifndef DMZ_ARCH_MIPS64_H
#define DMZ_ARCH_MIPS64_H
#define _NOLIBC_ARCH_MIPS_H /* this header replaces it */

#include "compiler.h"
#include "crt.h"

#define my_syscall6(num, arg1, arg2, arg3, arg4, arg5, arg6)                                                         \
	({                                                                                                           \
		register long _num __asm__("$2") = (num);                                                            \
		register long _arg1 __asm__("$4") = (long)(arg1);                                                    \
		register long _arg2 __asm__("$5") = (long)(arg2);                                                    \
		register long _arg3 __asm__("$6") = (long)(arg3);                                                    \
		register long _arg4 __asm__("$7") = (long)(arg4);                                                    \
		register long _arg5 __asm__("$8") = (long)(arg5);                                                    \
		register long _arg6 __asm__("$9") = (long)(arg6);                                                    \
                                                                                                                     \
		__asm__ volatile("syscall"                                                                           \
				 : "+r"(_num), "+r"(_arg4)                                                           \
				 : "r"(_arg1), "r"(_arg2), "r"(_arg3), "r"(_arg5), "r"(_arg6)                        \
				 : "memory", "$1", "$3", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25",     \
				   "hi", "lo");                                                                      \
		_arg4 ? -_num : _num;                                                                                \
	})

#define my_syscall5(num, a, b, c, d, e) my_syscall6(num, a, b, c, d, e, 0)
#define my_syscall4(num, a, b, c, d)	my_syscall5(num, a, b, c, d, 0)
#define my_syscall3(num, a, b, c)	my_syscall4(num, a, b, c, 0)
#define my_syscall2(num, a, b)		my_syscall3(num, a, b, 0)
#define my_syscall1(num, a)		my_syscall2(num, a, 0)
#define my_syscall0(num)		my_syscall1(num, 0)

/* The kernel's stack pointer is the argument of _start_c. Align the stack below it. */
__asm__(".section .text.__start,\"ax\",@progbits\n"
	".globl __start\n"
	".set push\n"
	".set noreorder\n"
	"__start:\n"
	"	move $4, $29\n"
	"	li $8, -16\n"
	"	jal _start_c\n"
	"	and $29, $29, $8\n" /* the delay slot: runs before the jump */
	".set pop\n"
	".previous\n");

#endif
