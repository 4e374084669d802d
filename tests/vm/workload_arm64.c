// SPDX-License-Identifier: BSD-2-Clause
/*
 * The arm64 guest: EL1, interrupts masked, an in-kernel GICv3. Memory is mapped one to one by a
 * single table of 1 GiB blocks: with the MMU on guest and host both use cacheable memory, so they
 * see each other's writes. A masked interrupt that is pending ends WFI, and the guest then
 * acknowledges it: no vectors. Halted vCPUs are woken by an edge-triggered SPI of their own; in
 * mode timer the guest arms its virtual timer. "Arm ARM" is the Arm Architecture Reference Manual
 * for A-profile.
 */
#ifdef __aarch64__

#include "workload.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define MEM_BASE       0x40000000ULL
#define CALL_BASE      0x10000000ULL /* MMIO: + 4 * enum guest_call */
#define GIC_DIST_BASE  0x08000000ULL
#define GIC_RDIST_BASE 0x080a0000ULL
#define TIMER_PPI      27    /* the virtual timer's: KVM_ARM_VCPU_TIMER_IRQ_VTIMER's default */
#define VECTORS	       0x800 /* in CODE_PAGE; 0x200 on: synchronous exceptions from EL1 itself */
#define FIRST_SPI      32

const uint64_t arch_mem_base = MEM_BASE;

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
 * x0: the control page; x20: CALL_BASE; x21: which fault page is next. A round is 20,000 loops, one
 * halt, one exit, or one write to a fault page. The GIC's registers by encoding: S3_0_C4_C6_0
 * ICC_PMR_EL1, S3_0_C12_C12_7 ICC_IGRPEN1_EL1, S3_0_C12_C12_0 ICC_IAR1_EL1 (1020 and up: none),
 * S3_0_C12_C12_1 ICC_EOIR1_EL1.
 */
__asm__(".pushsection .rodata\n"
	"	.balign	8\n"
	".globl	guest_code, guest_end, guest_exception, guest_exception_end\n"
	"guest_code:\n"
	"	mov	x20, #0x10000000\n"
	"	mov	x21, #0\n"
	"	mov	x1, #0xff\n"
	"	msr	S3_0_C4_C6_0, x1\n"
	"	mov	x1, #1\n"
	"	msr	S3_0_C12_C12_7, x1\n"
	"	isb\n"
	"guest_loop:\n"
	"	ldr	w1, [x0, #8]\n"
	"	cmp	w1, #1\n"
	"	b.eq	guest_halt\n"
	"	cmp	w1, #2\n"
	"	b.eq	guest_timer\n"
	"	cmp	w1, #3\n"
	"	b.eq	guest_exit\n"
	"	cmp	w1, #4\n"
	"	b.eq	guest_fault\n"
	"	cmp	w1, #5\n"
	"	b.eq	guest_ioctl\n"
	"	mov	w2, #20000\n"
	"1:	subs	w2, w2, #1\n"
	"	b.ne	1b\n"
	"guest_round:\n"
	"	ldr	x1, [x0]\n"
	"	add	x1, x1, #1\n"
	"	str	x1, [x0]\n"
	"	ldr	w2, [x0, #12]\n"
	"	cbz	w2, guest_loop\n"
	"	cmp	x1, x2\n"
	"	b.lo	guest_loop\n"
	"	str	w1, [x20, #8]\n"
	"	b	guest_loop\n"
	"guest_halt:\n"
	"	mov	w1, #1\n"
	"	str	w1, [x0, #16]\n"
	"	wfi\n"
	"	str	wzr, [x0, #16]\n"
	"1:	mrs	x1, S3_0_C12_C12_0\n"
	"	cmp	w1, #1020\n"
	"	b.hs	guest_round\n"
	"	msr	S3_0_C12_C12_1, x1\n"
	"	b	1b\n"
	"guest_timer:\n" /* the timer's line must fall before the EOI, or its interrupt stays
			    pending */
	"	ldr	w1, [x0, #20]\n"
	"	msr	cntv_tval_el0, x1\n"
	"	mov	x1, #1\n"
	"	msr	cntv_ctl_el0, x1\n"
	"	isb\n"
	"	wfi\n"
	"1:	mrs	x1, S3_0_C12_C12_0\n"
	"	msr	cntv_ctl_el0, xzr\n"
	"	isb\n"
	"	cmp	w1, #1020\n"
	"	b.hs	guest_round\n"
	"	msr	S3_0_C12_C12_1, x1\n"
	"	b	1b\n"
	"guest_exit:\n"
	"	str	w1, [x20]\n"
	"	b	guest_round\n"
	"guest_ioctl:\n"
	"	str	w1, [x20, #4]\n"
	"	b	guest_round\n"
	"guest_fault:\n"
	"	ldr	x1, [x0, #24]\n"
	"	str	w21, [x1, x21]\n"
	"	add	x21, x21, #4096\n"
	"	ldr	w2, [x0, #32]\n"
	"	cmp	x21, x2\n"
	"	csel	x21, x21, xzr, lo\n"
	"	b	guest_round\n"
	"guest_end:\n"
	"guest_exception:\n" /* none is expected: an unknown call ends the run with an error */
	"	mrs	x1, esr_el1\n"
	"	mov	x20, #0x10000000\n"
	"	str	w1, [x20, #0x100]\n"
	"	b	.\n"
	"guest_exception_end:\n"
	".popsection\n");

extern const uint8_t guest_code[], guest_end[], guest_exception[], guest_exception_end[];

uint32_t arch__timer_ticks(uint64_t ns)
{
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	return (uint32_t)(ns * (hz / 1000) / 1000000) + 1;
}

/* Arm ARM, "VMSAv8-64 translation using the 4KB granule": level 1 block descriptors. */
static void write_page_table(uint64_t *table)
{
	const uint64_t block = 1, accessed = 1 << 10, inner_shareable = 3 << 8;
	const uint64_t attr_normal = 1 << 2, no_exec = 3ULL << 53;

	table[0] = no_exec | accessed | block; /* MAIR attribute 0: device */
	table[1] = MEM_BASE | accessed | inner_shareable | attr_normal | block;
}

static int set_gic_attr(struct vm *vm, uint32_t group, uint64_t attr, const void *value)
{
	struct kvm_device_attr dev_attr = {.group = group, .attr = attr, .addr = (uintptr_t)value};

	if (ioctl(vm->gic_fd, KVM_SET_DEVICE_ATTR, &dev_attr) < 0)
		return fail(errno, "GICv3: KVM_SET_DEVICE_ATTR group %u attribute 0x%jx", group,
			    (uintmax_t)attr);
	return 0;
}

int arch__vm_init(struct vm *vm)
{
	struct kvm_create_device dev = {.type = KVM_DEV_TYPE_ARM_VGIC_V3};
	uint64_t dist = GIC_DIST_BASE, rdist = GIC_RDIST_BASE;
	uint32_t irqs = (FIRST_SPI + MAX_VCPUS + 31) / 32 * 32;
	int err;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &dev) < 0)
		return fail(errno, "KVM_CREATE_DEVICE: this host gives its guests no GICv3");
	vm->gic_fd = (int)dev.fd;
	err = set_gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	if (!err)
		err = set_gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
				   &rdist);
	if (!err)
		err = set_gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &irqs);
	memcpy(vm__page(vm, CODE_PAGE), guest_code, (size_t)(guest_end - guest_code));
	memcpy(vm__page(vm, CODE_PAGE) + VECTORS + 0x200, guest_exception,
	       (size_t)(guest_exception_end - guest_exception));
	write_page_table((uint64_t *)(void *)vm__page(vm, TABLE_PAGE));
	return err;
}

/* KVM puts 16 vCPUs into a cluster. Laid out as in GICD_IROUTER: Aff2, Aff1, Aff0, a byte each. */
static uint32_t affinity(const struct vcpu *vcpu)
{
	return (vcpu->id & 0xf) | vcpu->id >> 4 << 8;
}

static int set_dist(struct vm *vm, uint64_t offset, uint32_t value)
{
	return set_gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, offset, &value);
}

static int set_rdist(struct vcpu *vcpu, uint64_t offset, uint32_t value)
{
	uint64_t attr = (uint64_t)affinity(vcpu) << 32 | offset;

	return set_gic_attr(vcpu->vm, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, attr, &value);
}

/* GICv3 specification (IHI 0069), "The GIC Distributor/Redistributor register map". */
static int route_irqs(struct vm *vm)
{
	int err = set_dist(vm, 0x0000, 1 << 1); /* GICD_CTLR.EnableGrp1 */

	for (unsigned int spi = FIRST_SPI; !err && spi < FIRST_SPI + vm->vcpu_cnt; spi++)
		err = set_dist(vm, 0x6000 + 8 * spi, affinity(&vm->vcpus[spi - FIRST_SPI]));
	for (unsigned int spi = FIRST_SPI; !err && spi < FIRST_SPI + vm->vcpu_cnt; spi += 16)
		err = set_dist(vm, 0x0c00 + spi / 4, 0xaaaaaaaa); /* GICD_ICFGR: edge */
	for (unsigned int spi = FIRST_SPI; !err && spi < FIRST_SPI + vm->vcpu_cnt; spi += 32) {
		err = set_dist(vm, 0x0080 + spi / 8, 0xffffffff); /* GICD_IGROUPR: group 1 */
		if (!err)
			err = set_dist(vm, 0x0100 + spi / 8, 0xffffffff); /* GICD_ISENABLER */
	}
	for (unsigned int i = 0; !err && i < vm->vcpu_cnt; i++) {
		err = set_rdist(&vm->vcpus[i], 0x10080, 0xffffffff); /* GICR_IGROUPR0 */
		if (!err)
			err = set_rdist(&vm->vcpus[i], 0x10100, 1U << TIMER_PPI);
	}
	return err;
}

int arch__vm_complete(struct vm *vm)
{
	int err = set_gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);

	return err ? err : route_irqs(vm);
}

static int set_reg(struct vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};

	if (ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg) < 0)
		return fail(errno, "KVM_SET_ONE_REG 0x%jx", (uintmax_t)id);
	return 0;
}

#define CORE_REG(name) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(name))

/*
 * Arm ARM: MAIR attribute 0 device-nGnRnE, 1 normal write-back; TCR T0SZ 25 (39 bits, so that the
 * walk starts at level 1), write-back inner-shareable walks, TTBR1 off; SCTLR M, C, I and its RES1.
 */
int arch__vcpu_init(struct vcpu *vcpu)
{
	const struct {
		uint64_t id, value;
	} regs[] = {
		{ARM64_SYS_REG(3, 0, 10, 2, 0), 0xff00},
		{ARM64_SYS_REG(3, 0, 2, 0, 2), 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23},
		{ARM64_SYS_REG(3, 0, 2, 0, 0), MEM_BASE + TABLE_PAGE * PAGE_BYTES},
		{ARM64_SYS_REG(3, 0, 1, 0, 0), 0x30d00800 | 1 << 12 | 1 << 2 | 1},
		{ARM64_SYS_REG(3, 0, 12, 0, 0), MEM_BASE + CODE_PAGE * PAGE_BYTES + VECTORS},
		{CORE_REG(regs.pstate), 0x3c5}, /* EL1h, all masked */
		{CORE_REG(regs.pc), MEM_BASE + CODE_PAGE * PAGE_BYTES},
		{CORE_REG(regs.regs[0]), MEM_BASE + (CTL_PAGE + vcpu->id) * PAGE_BYTES},
	};
	struct kvm_vcpu_init init;
	int err = 0;

	if (ioctl(vcpu->vm->fd, KVM_ARM_PREFERRED_TARGET, &init) < 0)
		return fail(errno, "KVM_ARM_PREFERRED_TARGET");
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init) < 0)
		return fail(errno, "KVM_ARM_VCPU_INIT");
	for (size_t i = 0; !err && i < sizeof(regs) / sizeof(regs[0]); i++)
		err = set_reg(vcpu, regs[i].id, regs[i].value);
	return err;
}

/* api.rst, KVM_IRQ_LINE: an edge-triggered interrupt needs its line raised and lowered again. */
int arch__wake(struct vcpu *vcpu)
{
	struct kvm_irq_level line = {.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT |
					    (FIRST_SPI + vcpu->id),
				     .level = 1};

	if (ioctl(vcpu->vm->fd, KVM_IRQ_LINE, &line) < 0)
		return fail(errno, "KVM_IRQ_LINE");
	line.level = 0;
	if (ioctl(vcpu->vm->fd, KVM_IRQ_LINE, &line) < 0)
		return fail(errno, "KVM_IRQ_LINE");
	return 0;
}

int arch__guest_call(const struct kvm_run *run)
{
	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.phys_addr < CALL_BASE || run->mmio.phys_addr >= CALL_BASE + 4 * CALLS)
		return -1;
	return (int)(run->mmio.phys_addr - CALL_BASE) / 4;
}

struct kvm_ioeventfd arch__call_event(enum guest_call call)
{
	return (struct kvm_ioeventfd){.addr = CALL_BASE + 4 * call, .len = 4};
}

/*
 * On arm64 these ioctls do not load the vCPU (arch/arm64/kvm/arm.c: only KVM_RUN calls
 * vcpu_load()); what loads it in mode ioctl is KVM_RUN with immediate_exit.
 */
int arch__vcpu_ioctl(struct vcpu *vcpu, uint64_t pick, bool own)
{
	uint64_t value;
	struct kvm_one_reg reg = {.id = CORE_REG(regs.pc), .addr = (uintptr_t)&value};
	struct kvm_mp_state mp_state;

	if (pick % 3 == 0)
		return ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp_state) < 0
			       ? fail(errno, "KVM_GET_MP_STATE")
			       : 0;
	if (ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg) < 0)
		return fail(errno, "KVM_GET_ONE_REG");
	if (own && pick % 3 == 1 && ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg) < 0)
		return fail(errno, "KVM_SET_ONE_REG");
	return 0;
}

#endif
