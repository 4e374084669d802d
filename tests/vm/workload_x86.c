// SPDX-License-Identifier: BSD-2-Clause
/*
 * The x86 guest: 32-bit protected mode, flat segments, no paging, in-kernel interrupt controllers.
 * Halted vCPUs are woken by an NMI sent as an MSI, which needs no interrupt to be enabled; in mode
 * timer the guest arms its local APIC's timer itself. "SDM" is Intel's Software Developer's Manual,
 * volume 3A; AMD's Programmer's Manual volume 2 has the same (chapters 4, 8 and 16).
 */
#ifdef __x86_64__

#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define TIMER_VECTOR 0x20
#define NMI_VECTOR   2
#define CODE_SEL     0x08
#define DATA_SEL     0x10
#define IDT_OFFSET   0x100 /* in TABLE_PAGE, after the GDT */
#define PORT_BASE    0x510 /* + enum guest_call */

/* Where KVM may put pages of its own on Intel hosts: below 4 GiB, no memory, no APIC. */
#define TSS_ADDR      0xfffbd000UL
#define IDENTITY_ADDR 0xfffbc000ULL

const uint64_t arch_mem_base = 0;

_Static_assert(offsetof(struct guest_ctl, mode) == 8, "known to the guest");
_Static_assert(offsetof(struct guest_ctl, limit) == 12, "known to the guest");
_Static_assert(offsetof(struct guest_ctl, halting) == 16, "known to the guest");
_Static_assert(offsetof(struct guest_ctl, period_ticks) == 20, "known to the guest");
_Static_assert(offsetof(struct guest_ctl, fault_base) == 24, "known to the guest");
_Static_assert(offsetof(struct guest_ctl, fault_bytes) == 32, "known to the guest");
_Static_assert(MODE_HALT == 1 && MODE_TIMER == 2 && MODE_EXIT == 3 && MODE_FAULT == 4 &&
		       MODE_IOCTL == 5,
	       "known to the guest");

/*
 * %ebx: the control page; %edi: which fault page is next. A round is 20,000 loops, one halt, one
 * exit, or one write to a fault page. APIC registers (SDM, "Local APIC Register Address Map"): 0xf0
 * spurious vector, with the enable bit; 0x320 timer, one-shot; 0x3e0 divide by 1; 0x380 initial
 * count; 0xb0 EOI.
 */
__asm__(".pushsection .rodata\n"
	".code32\n"
	".globl	guest_code, guest_interrupt, guest_nmi, guest_end\n"
	"guest_code:\n"
	"	movl	$0x1ff, 0xfee000f0\n"
	"	movl	$0x20, 0xfee00320\n"
	"	movl	$0x0b, 0xfee003e0\n"
	"guest_loop:\n"
	"	movl	8(%ebx), %eax\n"
	"	cmpl	$1, %eax\n"
	"	je	guest_halt\n"
	"	cmpl	$2, %eax\n"
	"	je	guest_timer\n"
	"	cmpl	$3, %eax\n"
	"	je	guest_exit\n"
	"	cmpl	$4, %eax\n"
	"	je	guest_fault\n"
	"	cmpl	$5, %eax\n"
	"	je	guest_ioctl\n"
	"	movl	$20000, %ecx\n"
	"1:	decl	%ecx\n"
	"	jnz	1b\n"
	"guest_round:\n"
	"	addl	$1, (%ebx)\n"
	"	adcl	$0, 4(%ebx)\n"
	"	movl	12(%ebx), %eax\n"
	"	testl	%eax, %eax\n"
	"	jz	guest_loop\n"
	"	cmpl	%eax, (%ebx)\n"
	"	jb	guest_loop\n"
	"	movw	$0x512, %dx\n"
	"	outb	%al, %dx\n"
	"	jmp	guest_loop\n"
	"guest_halt:\n"
	"	movl	$1, 16(%ebx)\n"
	"	hlt\n"
	"	movl	$0, 16(%ebx)\n"
	"	jmp	guest_round\n"
	"guest_timer:\n" /* sti takes effect after hlt has begun, so the interrupt is not lost */
	"	movl	20(%ebx), %eax\n"
	"	movl	%eax, 0xfee00380\n"
	"	sti\n"
	"	hlt\n"
	"	cli\n"
	"	jmp	guest_round\n"
	"guest_exit:\n"
	"	movw	$0x510, %dx\n"
	"	outb	%al, %dx\n"
	"	jmp	guest_round\n"
	"guest_ioctl:\n"
	"	movw	$0x511, %dx\n"
	"	outb	%al, %dx\n"
	"	jmp	guest_round\n"
	"guest_fault:\n"
	"	movl	24(%ebx), %esi\n"
	"	incl	(%esi,%edi)\n"
	"	addl	$4096, %edi\n"
	"	cmpl	32(%ebx), %edi\n"
	"	jb	guest_round\n"
	"	xorl	%edi, %edi\n"
	"	jmp	guest_round\n"
	"guest_interrupt:\n"
	"	movl	$0, 0xfee000b0\n"
	"guest_nmi:\n"
	"	iretl\n"
	"guest_end:\n"
	".code64\n"
	".popsection\n");

extern const uint8_t guest_code[], guest_interrupt[], guest_nmi[], guest_end[];

uint32_t arch__timer_ticks(uint64_t ns)
{
	return (uint32_t)ns; /* KVM's local APIC counts nanoseconds when dividing by 1 */
}

/* SDM, "Segment Descriptors": base 0, limit 4 GiB, 32-bit, present, ring 0. */
static void write_gdt(uint8_t *table)
{
	const uint64_t gdt[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};

	memcpy(table, gdt, sizeof(gdt));
}

/* SDM, "IDT Descriptors": a 32-bit interrupt gate. */
static void write_gate(uint8_t *idt, unsigned int vector, const uint8_t *handler)
{
	uint64_t offset = CODE_PAGE * PAGE_BYTES + (uint64_t)(handler - guest_code);
	uint64_t gate = (offset & 0xffff) | CODE_SEL << 16 | 0x8e00ULL << 32 | (offset >> 16) << 48;

	memcpy(idt + vector * sizeof(gate), &gate, sizeof(gate));
}

int arch__vm_init(struct vm *vm)
{
	uint8_t *table = vm__page(vm, TABLE_PAGE);
	uint64_t identity = IDENTITY_ADDR;

	if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0)
		return fail(errno, "KVM_SET_IDENTITY_MAP_ADDR");
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDR) < 0)
		return fail(errno, "KVM_SET_TSS_ADDR");
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
		return fail(errno, "KVM_CREATE_IRQCHIP");
	memcpy(vm__page(vm, CODE_PAGE), guest_code, (size_t)(guest_end - guest_code));
	write_gdt(table);
	write_gate(table + IDT_OFFSET, NMI_VECTOR, guest_nmi);
	write_gate(table + IDT_OFFSET, TIMER_VECTOR, guest_interrupt);
	return 0;
}

int arch__vm_complete(struct vm *vm)
{
	(void)vm;
	return 0;
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){.limit = 0xffffffff,
				    .selector = selector,
				    .type = type,
				    .present = 1,
				    .db = 1,
				    .s = 1,
				    .g = 1};
}

static int set_sregs(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return fail(errno, "KVM_GET_SREGS");
	sregs.cs = flat_segment(CODE_SEL, 11);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat_segment(DATA_SEL, 3);
	sregs.gdt = (struct kvm_dtable){.base = TABLE_PAGE * PAGE_BYTES, .limit = 3 * 8 - 1};
	sregs.idt = (struct kvm_dtable){.base = TABLE_PAGE * PAGE_BYTES + IDT_OFFSET,
					.limit = (TIMER_VECTOR + 1) * 8 - 1};
	sregs.cr0 = 0x11; /* PE, ET */
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0)
		return fail(errno, "KVM_SET_SREGS");
	return 0;
}

/* With an in-kernel APIC all vCPUs but the first wait for an INIT: api.rst, KVM_GET_MP_STATE. */
int arch__vcpu_init(struct vcpu *vcpu)
{
	struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
	struct kvm_regs regs = {.rflags = 2, .rip = CODE_PAGE * PAGE_BYTES};
	int err = set_sregs(vcpu);

	if (err)
		return err;
	regs.rbx = (CTL_PAGE + vcpu->id) * PAGE_BYTES;
	regs.rsp = regs.rbx + PAGE_BYTES;
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
		return fail(errno, "KVM_SET_REGS");
	if (ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable) < 0)
		return fail(errno, "KVM_SET_MP_STATE");
	return 0;
}

/* SDM, "Message Address/Data Register Format": physical destination, delivery mode 100b is NMI. */
int arch__wake(struct vcpu *vcpu)
{
	struct kvm_msi msi = {.address_lo = 0xfee00000 | vcpu->id << 12, .data = 4 << 8};
	int delivered = ioctl(vcpu->vm->fd, KVM_SIGNAL_MSI, &msi);

	if (delivered < 0)
		return fail(errno, "KVM_SIGNAL_MSI");
	return delivered ? 0 : refuse("KVM_SIGNAL_MSI: not delivered to vCPU %u", vcpu->id);
}

int arch__guest_call(const struct kvm_run *run)
{
	if (run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT ||
	    run->io.port < PORT_BASE || run->io.port >= PORT_BASE + CALLS)
		return -1;
	return run->io.port - PORT_BASE;
}

struct kvm_ioeventfd arch__call_event(enum guest_call call)
{
	return (struct kvm_ioeventfd){
		.addr = PORT_BASE + call, .len = 1, .flags = KVM_IOEVENTFD_FLAG_PIO};
}

static int write_back_regs(struct vcpu *vcpu)
{
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0)
		return fail(errno, "KVM_GET_REGS");
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
		return fail(errno, "KVM_SET_REGS");
	return 0;
}

int arch__vcpu_ioctl(struct vcpu *vcpu, uint64_t pick, bool own)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_mp_state mp_state;

	if (own && pick % 4 == 3)
		return write_back_regs(vcpu);
	switch (pick % 3) {
	case 0:
		return ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ? fail(errno, "KVM_GET_REGS") : 0;
	case 1:
		return ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0 ? fail(errno, "KVM_GET_SREGS")
								  : 0;
	default:
		return ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp_state) < 0
			       ? fail(errno, "KVM_GET_MP_STATE")
			       : 0;
	}
}

#endif
