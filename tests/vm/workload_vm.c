// SPDX-License-Identifier: BSD-2-Clause
/*
 * Builds and tears down one VM on the raw /dev/kvm API (Documentation/virt/kvm/api.rst) and prints
 * what its vCPUs did. What runs in the guest is the architecture's business, what the vCPU threads
 * do is workload_vcpu.c's.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

uint8_t *vm__page(const struct vm *vm, unsigned int page)
{
	return vm->mem + page * PAGE_BYTES;
}

static unsigned int fault_page(const struct vm *vm, unsigned int vcpu)
{
	return CTL_PAGE + vm->vcpu_cnt + vcpu * FAULT_PAGES;
}

static int open_kvm(struct vm *vm)
{
	int run_bytes;

	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		return fail(errno, "/dev/kvm cannot be opened (kvm modules loaded? permission?)");
	if (ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return refuse("KVM_GET_API_VERSION is not %d", KVM_API_VERSION);
	run_bytes = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (run_bytes < 0)
		return fail(errno, "KVM_GET_VCPU_MMAP_SIZE");
	vm->run_bytes = (size_t)run_bytes;
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	return vm->fd < 0 ? fail(errno, "KVM_CREATE_VM") : 0;
}

/* No huge pages: every page that MODE_FAULT touches must be a fault of its own. */
static int add_memory(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {.guest_phys_addr = arch_mem_base};
	void *mem;

	vm->mem_bytes = fault_page(vm, vm->vcpu_cnt) * PAGE_BYTES;
	mem = mmap(NULL, vm->mem_bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		return fail(errno, "mmap of %zu bytes of guest memory", vm->mem_bytes);
	vm->mem = mem;
	if (madvise(mem, vm->mem_bytes, MADV_NOHUGEPAGE) < 0 && errno != EINVAL)
		return fail(errno, "madvise(MADV_NOHUGEPAGE)");
	region.memory_size = vm->mem_bytes;
	region.userspace_addr = (uintptr_t)mem;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return fail(errno, "KVM_SET_USER_MEMORY_REGION");
	return 0;
}

/* KVM_CAP_HALT_POLL: a per-VM maximum in place of the module parameter halt_poll_ns. */
static int set_halt_poll(struct vm *vm)
{
	struct kvm_enable_cap cap = {.cap = KVM_CAP_HALT_POLL};

	if (vm->opts->halt_poll_ns < 0)
		return 0;
	cap.args[0] = (uint64_t)vm->opts->halt_poll_ns;
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap) < 0)
		return fail(errno, "KVM_ENABLE_CAP(KVM_CAP_HALT_POLL)");
	return 0;
}

static void init_ctl(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	unsigned int first = fault_page(vm, vcpu->id);
	enum mode guest_mode = vcpu->mode;

	if (vcpu->mode == MODE_UFFD)
		guest_mode = MODE_FAULT;
	else if (vcpu->mode == MODE_MIXED)
		guest_mode = (enum mode)(rng__next(&vcpu->rng) % GUEST_MODES);
	vcpu->ctl = (struct guest_ctl *)vm__page(vm, CTL_PAGE + vcpu->id);
	vcpu->fault_mem = vm__page(vm, first);
	vcpu->ctl->mode = guest_mode;
	vcpu->ctl->limit = vm->opts->cycles;
	vcpu->ctl->period_ticks = arch__timer_ticks(vm->opts->wake_max_ns);
	vcpu->ctl->fault_base = arch_mem_base + first * PAGE_BYTES;
	vcpu->ctl->fault_bytes = FAULT_BYTES;
}

static void open_uffd(struct vcpu *vcpu)
{
	int err = uffd__open(vcpu);

	if (!err)
		return;
	fprintf(stderr,
		"workload: skipped mode uffd: userfaultfd: %s; vCPU %u does fault instead\n",
		strerror(-err), vcpu->id);
	vcpu->mode = MODE_FAULT;
}

static int create_vcpu(struct vm *vm, unsigned int id)
{
	const struct options *opts = vm->opts;
	struct vcpu *vcpu = &vm->vcpus[id];
	unsigned int nth = opts->vm_index * vm->vcpu_cnt + id;
	void *run;

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->mode = opts->modes[nth % opts->mode_cnt];
	vcpu->rng = opts->seed + nth;
	rng__next(&vcpu->rng);
	init_ctl(vcpu);
	if (vcpu->mode == MODE_UFFD)
		open_uffd(vcpu);
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	if (vcpu->fd < 0)
		return fail(errno, "KVM_CREATE_VCPU %u", id);
	run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return fail(errno, "mmap of vCPU %u's kvm_run", id);
	vcpu->run = run;
	return arch__vcpu_init(vcpu);
}

static int build(struct vm *vm)
{
	int err = open_kvm(vm);

	if (!err)
		err = set_halt_poll(vm);
	if (!err)
		err = add_memory(vm);
	if (!err)
		err = arch__vm_init(vm);
	for (unsigned int i = 0; !err && i < vm->vcpu_cnt; i++)
		err = create_vcpu(vm, i);
	return err ? err : arch__vm_complete(vm);
}

static void set_name(struct vm *vm)
{
	const char *name = vm->opts->name;

	if (name && !strncmp(name, "guest=", 6))
		name += 6;
	if (name)
		snprintf(vm->name, sizeof(vm->name), "%.*s", (int)strcspn(name, ","), name);
	else
		snprintf(vm->name, sizeof(vm->name), "%.15s-%d", program_invocation_short_name,
			 (int)getpid());
}

int vm__create(struct vm *vm, const struct options *opts)
{
	int err;

	*vm = (struct vm){.opts = opts, .kvm_fd = -1, .fd = -1, .gic_fd = -1};
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->cond, NULL);
	vm->main_thread = pthread_self();
	vm->vcpu_cnt = opts->vcpus;
	set_name(vm);
	vm->vcpus = calloc(vm->vcpu_cnt, sizeof(*vm->vcpus));
	if (!vm->vcpus)
		return fail(ENOMEM, "%u vCPUs", vm->vcpu_cnt);
	for (unsigned int i = 0; i < vm->vcpu_cnt; i++)
		vm->vcpus[i].fd = vm->vcpus[i].uffd = -1;
	err = build(vm);
	if (err)
		vm__destroy(vm);
	return err;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void vm__destroy(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_cnt; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];

		if (vcpu->run)
			munmap(vcpu->run, vm->run_bytes);
		close_fd(vcpu->fd);
		close_fd(vcpu->uffd);
	}
	close_fd(vm->gic_fd);
	close_fd(vm->fd);
	close_fd(vm->kvm_fd);
	if (vm->mem)
		munmap(vm->mem, vm->mem_bytes);
	free(vm->vcpus);
	pthread_cond_destroy(&vm->cond);
	pthread_mutex_destroy(&vm->lock);
}

bool vm__all_progressed(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_cnt; i++)
		if (!vm->vcpus[i].ctl->progress)
			return false;
	return true;
}

bool vm__failed(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_cnt; i++)
		if (vm->vcpus[i].err)
			return true;
	return vm->helper_err;
}

static void print_vcpu(FILE *out, const struct vcpu *vcpu)
{
	fprintf(out, "%s{\"vcpu\":%u,\"tid\":%d,\"mode\":\"%s\"", vcpu->id ? "," : "", vcpu->id,
		vcpu->tid, mode_names[vcpu->mode]);
	fprintf(out,
		",\"runs\":%ju,\"exits\":%ju,\"wakeups\":%ju,\"ioctls\":%ju,\"foreign_ioctls\":%ju",
		(uintmax_t)vcpu->runs, (uintmax_t)vcpu->exits, (uintmax_t)vcpu->wakeups,
		(uintmax_t)vcpu->ioctls, (uintmax_t)vcpu->foreign);
	fprintf(out, ",\"zaps\":%ju,\"uffd_faults\":%ju,\"progress\":%ju", (uintmax_t)vcpu->zaps,
		(uintmax_t)vcpu->uffd_faults, (uintmax_t)vcpu->ctl->progress);
	fprintf(out, ",\"nvcsw\":%ju,\"nivcsw\":%ju,\"sched_run_ns\":%ju,\"sched_wait_ns\":%ju}",
		(uintmax_t)vcpu->nvcsw, (uintmax_t)vcpu->nivcsw, (uintmax_t)vcpu->on_cpu_ns,
		(uintmax_t)vcpu->wait_ns);
}

int vm__print(const struct vm *vm)
{
	char name[sizeof(vm->name) * 6 + 8];
	char *text = NULL;
	size_t text_bytes;
	FILE *out = open_memstream(&text, &text_bytes);
	int err;

	if (!out)
		return fail(errno, "open_memstream");
	text__json_string(name, sizeof(name), vm->name);
	fprintf(out, "{\"vm\":\"%s\",\"pid\":%d,\"seed\":%ju,\"elapsed_ns\":%ju,\"vcpus\":[", name,
		(int)getpid(), (uintmax_t)vm->opts->seed, (uintmax_t)vm->elapsed_ns);
	for (unsigned int i = 0; i < vm->vcpu_cnt; i++)
		print_vcpu(out, &vm->vcpus[i]);
	fprintf(out, "]}\n");
	err = fclose(out) ? fail(ENOMEM, "report") : text__append(vm->opts->json_path, text);
	free(text);
	return err;
}
