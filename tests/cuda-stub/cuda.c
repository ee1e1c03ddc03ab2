// Stands in for NVIDIA's driver, CUDA runtime and cuBLAS on a machine without a GPU, so that ONNX Runtime's real CUDA provider can be loaded
// and run: its options, allocators, placement of nodes, copies, streams and graph capture are then its own. Memory of the GPU is host memory
// with a limit. Kernels do nothing; what is copied off the GPU is computed from the bytes that were last copied there by the same thread and
// launched on, so that a stale input or a graph that was not launched shows. Calls are checked by CUDA's rules for capture
// (cudaStreamCaptureModeGlobal) and logged. Signatures are those of CUDA 13's headers as far as they are called.
//   GPU_STUB_LOG      a file for one line per call: time, thread, call; kernels with the name that the compiler gave them
//   GPU_STUB_COUNT    number of GPUs (1)
//   GPU_STUB_MEMORY   bytes of each (80e9)
//   GPU_STUB_INIT     what cuInit returns (0)
//   GPU_STUB_DRIVER   CUDA version of the driver (13000)
//   GPU_STUB_BREAKS   after this many copies to a GPU every call fails, as after an illegal address or when the GPU falls off the bus
#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { Ok = 0, InvalidValue = 1, OutOfMemory = 2, InvalidDevice = 101, IllegalAddress = 700, CaptureUnsupported = 900, CaptureInvalidated = 901 };
enum { MostGpus = 8, MostBlocks = 65536 };
enum Kind { Pageable, OnGpu, Pinned };

typedef struct {
  char *at;
  size_t size;
  enum Kind kind;
  int gpu;
} Block;

static Block blocks[MostBlocks];
static size_t used[MostGpus];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local int current, last_error;
static _Thread_local uint64_t copied, computed;
static void *capturing;
static int broken;
static volatile int copies, dead;
static int contexts[MostGpus];

static long setting(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? atol(text) : otherwise;
}

static size_t total(void) { return setting("GPU_STUB_MEMORY", 80000000000l); }

void say(const char *format, ...) {
  static FILE *log;
  static const char *name = "";
  if (!name) return;
  pthread_mutex_lock(&gate);
  if (!log) {
    if (!(name = getenv("GPU_STUB_LOG"))) {
      pthread_mutex_unlock(&gate);
      return;
    }
    log = fopen(name, "a");
    setvbuf(log, 0, _IOLBF, 0);
  }
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  fprintf(log, "%ld.%06ld %ld ", now.tv_sec, now.tv_nsec / 1000, syscall(SYS_gettid));
  va_list rest;
  va_start(rest, format);
  vfprintf(log, format, rest);
  va_end(rest);
  fputc('\n', log);
  pthread_mutex_unlock(&gate);
}

static int give(int error) {
  if (error) last_error = error;
  return error;
}

// A call that may not be made by any thread while one captures; the capture is lost.
static int forbidden(const char *call) {
  if (!capturing) return 0;
  say("FORBIDDEN DURING CAPTURE: %s", call);
  broken = 1;
  return give(CaptureUnsupported);
}

// A call that makes a context on the thread's GPU where there is none, and fails on a broken GPU.
static int enter(void) {
  if (!__atomic_exchange_n(&contexts[current], 1, __ATOMIC_SEQ_CST)) say("context on GPU %d", current);
  return dead ? give(IllegalAddress) : Ok;
}

static int take(void **at, size_t size, enum Kind kind) {
  int error = OutOfMemory;
  pthread_mutex_lock(&gate);
  if (kind != OnGpu || used[current] + size <= total()) {
    int i = 0;
    while (i < MostBlocks && blocks[i].at) i++;
    if (i < MostBlocks) {
      *at = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
      blocks[i] = (Block){*at, size, kind, current};
      if (kind == OnGpu) used[current] += size;
      error = Ok;
    }
  }
  pthread_mutex_unlock(&gate);
  return error;
}

static int drop(void *at) {
  int error = at ? InvalidValue : Ok;
  pthread_mutex_lock(&gate);
  for (int i = 0; at && i < MostBlocks; i++)
    if (blocks[i].at == at) {
      if (blocks[i].kind == OnGpu) used[blocks[i].gpu] -= blocks[i].size;
      blocks[i].at = 0;
      free(at);
      error = Ok;
      break;
    }
  pthread_mutex_unlock(&gate);
  if (error) say("FREE OF UNKNOWN MEMORY");
  return give(error);
}

static enum Kind kind_of(const void *at) {
  enum Kind kind = Pageable;
  pthread_mutex_lock(&gate);
  for (int i = 0; i < MostBlocks; i++)
    if (blocks[i].at && (char *)at >= blocks[i].at && (char *)at < blocks[i].at + blocks[i].size) {
      kind = blocks[i].kind;
      break;
    }
  pthread_mutex_unlock(&gate);
  return kind;
}

static int copy(const char *call, void *to, const void *from, size_t size) {
  static const char *names[] = {"pageable", "GPU", "pinned"};
  if (enter()) return IllegalAddress;
  enum Kind target = kind_of(to), source = kind_of(from);
  say("%s %zu bytes %s -> %s", call, size, names[source], names[target]);
  if (source == OnGpu && target != OnGpu && size > 1024) {
    uint64_t state = computed;
    float *values = to;
    for (size_t i = 0; i < size / sizeof(float); i++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      values[i] = (float)(state >> 40) / (1 << 24);
    }
    return Ok;
  }
  // Batches that only kernels would read stay where they are.
  if (target != OnGpu || size <= 1 << 20) memcpy(to, from, size);
  if (target == OnGpu && source != OnGpu) {
    // Of a batch a byte here and there: a GPU copies without the host's cores.
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i += size > 4096 ? 997 : 1) hash = (hash ^ ((unsigned char *)from)[i]) * 1099511628211u;
    copied = hash;
    if (setting("GPU_STUB_BREAKS", 0) && __atomic_add_fetch(&copies, 1, __ATOMIC_SEQ_CST) >= setting("GPU_STUB_BREAKS", 0)) dead = 1;
  }
  return Ok;
}

int launch(void) {
  if (enter()) return IllegalAddress;
  if (!capturing) computed = copied;
  return Ok;
}

// Devices
int cudaGetDeviceCount(int *count) { *count = setting("GPU_STUB_COUNT", 1); return Ok; }
int cudaGetDevice(int *gpu) { *gpu = current; return Ok; }
int cudaSetDevice(int gpu) {
  if (gpu >= setting("GPU_STUB_COUNT", 1)) return give(InvalidDevice);
  if (gpu != current) say("cudaSetDevice %d", gpu);
  current = gpu;
  return enter();
}
int cudaInitDevice(int gpu, unsigned device_flags, unsigned flags) {
  say("cudaInitDevice %d flags %u", gpu, flags & 1 ? device_flags : 0);
  return gpu >= setting("GPU_STUB_COUNT", 1) ? give(InvalidDevice) : Ok;
}
int cudaRuntimeGetVersion(int *version) { *version = 13000; return Ok; }
int cudaDriverGetVersion(int *version) { *version = 13000; return Ok; }
int cudaMemGetInfo(size_t *left, size_t *all) { *all = total(); *left = *all - used[current]; say("cudaMemGetInfo"); return enter(); }
int cudaDeviceSynchronize(void) {
  if (forbidden("cudaDeviceSynchronize")) return CaptureUnsupported;
  say("cudaDeviceSynchronize");
  return enter();
}

// The fields of cudaDeviceProp that are read, at their offsets in CUDA 13: an H100's.
int cudaGetDeviceProperties(char *properties, int gpu) {
  memset(properties, 0, 1008);
  strcpy(properties, "Stub");
  *(size_t *)(properties + 288) = total();
  *(size_t *)(properties + 296) = 49152;
  *(int *)(properties + 304) = 65536;
  *(int *)(properties + 308) = 32;
  *(size_t *)(properties + 312) = 2147483647;
  *(int *)(properties + 320) = 1024;
  memcpy(properties + 324, (int[]){1024, 1024, 64, 2147483647, 65535, 65535}, 24);
  *(size_t *)(properties + 352) = 65536;
  *(int *)(properties + 360) = 9;
  *(size_t *)(properties + 368) = 512;
  *(size_t *)(properties + 376) = 32;
  *(int *)(properties + 384) = 132;
  return Ok;
}
int cudaDeviceGetAttribute(int *value, int attribute, int gpu) {
  switch (attribute) {
    case 1: *value = 1024; break;     // threads a block
    case 8: *value = 49152; break;    // shared memory a block
    case 10: *value = 32; break;      // warp
    case 16: *value = 132; break;     // multiprocessors
    case 39: *value = 2048; break;    // threads a multiprocessor
    case 75: *value = 9; break;       // compute capability
    case 81: *value = 233472; break;  // shared memory a multiprocessor
    case 97: *value = 232448; break;  // shared memory a block on request
    default: *value = 0;
  }
  return Ok;
}

// Memory
int cudaMalloc(void **at, size_t size) {
  if (forbidden("cudaMalloc")) return CaptureUnsupported;
  if (enter()) return IllegalAddress;
  int error = take(at, size, OnGpu);
  say("cudaMalloc %zu%s", size, error ? ": out of memory" : "");
  return give(error);
}
int cudaFree(void *at) { return forbidden("cudaFree") ? CaptureUnsupported : enter() ? IllegalAddress : drop(at); }
int cudaHostAlloc(void **at, size_t size, unsigned flags) {
  if (forbidden("cudaHostAlloc")) return CaptureUnsupported;
  say("cudaHostAlloc %zu", size);
  if (enter()) return IllegalAddress;
  return give(take(at, size, Pinned));
}
int cudaMallocHost(void **at, size_t size) { return cudaHostAlloc(at, size, 0); }
int cudaFreeHost(void *at) { return enter() ? IllegalAddress : drop(at); }
int cudaMemcpy(void *to, const void *from, size_t size, int kind) { return forbidden("cudaMemcpy") ? CaptureUnsupported : copy("cudaMemcpy", to, from, size); }
int cudaMemcpyAsync(void *to, const void *from, size_t size, int kind, void *stream) { return copy("cudaMemcpyAsync", to, from, size); }
int cudaMemset(void *at, int value, size_t size) {
  if (forbidden("cudaMemset")) return CaptureUnsupported;
  say("cudaMemset %zu bytes", size);
  if (enter()) return IllegalAddress;
  memset(at, value, size);
  return Ok;
}
int cudaMemsetAsync(void *at, int value, size_t size, void *stream) { say("cudaMemsetAsync %zu bytes", size); memset(at, value, size); return Ok; }

// Streams, events, graphs
int cudaStreamCreateWithFlags(void **stream, unsigned flags) { *stream = malloc(16); say("cudaStreamCreateWithFlags %u", flags); return enter(); }
int cudaStreamCreate(void **stream) { return cudaStreamCreateWithFlags(stream, 0); }
int cudaStreamDestroy(void *stream) { free(stream); return enter(); }
int cudaStreamSynchronize(void *stream) { return stream && stream == capturing ? forbidden("cudaStreamSynchronize") : enter(); }
int cudaStreamIsCapturing(void *stream, int *status) { *status = stream && stream == capturing; return Ok; }
int cudaStreamBeginCapture(void *stream, int mode) {
  if (capturing) return forbidden("another capture");
  say("cudaStreamBeginCapture mode %d", mode);
  capturing = stream;
  broken = 0;
  return Ok;
}
int cudaStreamEndCapture(void *stream, void **graph) {
  say("cudaStreamEndCapture%s", broken ? ": broken" : "");
  capturing = 0;
  *graph = broken ? 0 : malloc(16);
  return give(broken ? CaptureInvalidated : Ok);
}
int cudaGraphInstantiate(void **executable, void *graph, unsigned long long flags) { *executable = malloc(16); return Ok; }
int cudaGraphDestroy(void *graph) { free(graph); return Ok; }
int cudaGraphExecDestroy(void *executable) { free(executable); return Ok; }
int cudaGraphLaunch(void *executable, void *stream) { say("cudaGraphLaunch"); return launch(); }
int cudaEventCreateWithFlags(void **event, unsigned flags) { *event = malloc(16); return enter(); }
int cudaEventCreate(void **event) { *event = malloc(16); return enter(); }
int cudaEventDestroy(void *event) { free(event); return enter(); }
int cudaEventElapsedTime(float *milliseconds, void *first, void *second) { *milliseconds = 1; return Ok; }

// Errors
int cudaGetLastError(void) { int error = last_error; last_error = 0; return error; }
int cudaPeekAtLastError(void) { return last_error; }
const char *cudaGetErrorName(int error) { return error == OutOfMemory ? "cudaErrorMemoryAllocation" : "cudaErrorOfStub"; }
const char *cudaGetErrorString(int error) {
  return error == OutOfMemory ? "out of memory" : error == InvalidDevice ? "invalid device ordinal" : error == CaptureUnsupported ? "operation not permitted when stream is capturing" : error == IllegalAddress ? "an illegal memory access was encountered" : "an error of the stub";
}

// Kernels: the program registers each host function with the name of the GPU's
enum { Kernels = 1 << 18 };
static struct { const void *entry; const char *name; } kernels[Kernels];

static unsigned place(const void *entry) {
  unsigned i = ((uintptr_t)entry >> 4) * 2654435761u % Kernels;
  while (kernels[i].entry && kernels[i].entry != entry) i = (i + 1) % Kernels;
  return i;
}
void __cudaRegisterFunction(void **handle, const void *entry, char *device, const char *name) {
  unsigned i = place(entry);
  kernels[i].entry = entry;
  kernels[i].name = name;
}
int cudaLaunchKernel(const void *entry) {
  const char *name = kernels[place(entry)].name;
  say("kernel %s", name ? name : "unknown");
  return launch();
}
int __cudaLaunchKernel(const void *entry) { return cudaLaunchKernel(entry); }
int cudaLaunchKernelExC(const void *config, const void *entry) { return cudaLaunchKernel(entry); }
void **__cudaRegisterFatBinary(void *binary) { static void *handle[4]; return handle; }
int __cudaGetKernel(void **kernel, const void *entry) { *kernel = (void *)entry; return Ok; }
unsigned __cudaPushCallConfiguration() { return 0; }
int __cudaPopCallConfiguration(void *grid, void *block, size_t *shared, void **stream) { memset(grid, 1, 12); memset(block, 1, 12); *shared = 0; *stream = 0; return Ok; }
int cudaFuncGetAttributes(void *attributes, const void *kernel) { memset(attributes, 0, 64); return Ok; }
int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks_, const void *kernel, int size, size_t shared, unsigned flags) { *blocks_ = 2; return Ok; }
int cudaGetDriverEntryPointByVersion(const char *name, void **entry, unsigned version, unsigned long long flags, int *status) { *entry = 0; if (status) *status = 1; return Ok; }

// cuBLAS: small float products are really computed, for the doctor's test. A product over one value adds a bias to ones that a kernel made.
int cublasCreate_v2(void **handle) {
  const char *tf32 = getenv("NVIDIA_TF32_OVERRIDE");
  say("cublasCreate NVIDIA_TF32_OVERRIDE=%s", tf32 ? tf32 : "");
  *handle = malloc(16);
  return Ok;
}
int cublasLtCreate(void **handle) { *handle = malloc(16); return Ok; }
int cublasGetMathMode(void *handle, int *mode) { *mode = 0; return Ok; }
int cublasLtMatmulAlgoGetHeuristic(void *handle, void *operation, void *a, void *b, void *c, void *d, void *preference, int asked, void *results, int *found) { *found = 0; return Ok; }
const char *cublasGetStatusName(int status) { return "CUBLAS_STATUS_OF_STUB"; }
const char *cublasGetStatusString(int status) { return "an error of the stub"; }
int cublasGemmEx() { say("cublasGemmEx"); return launch(); }
int cublasSgemmStridedBatched() { say("cublasSgemmStridedBatched"); return launch(); }
int cublasGemmStridedBatchedEx() { say("cublasGemmStridedBatchedEx"); return launch(); }
int cublasSgemm_v2(void *handle, int ta, int tb, int m, int n, int k, const float *alpha, const float *a, int lda, const float *b, int ldb, const float *beta, float *c, int ldc) {
  say("cublasSgemm");
  for (int j = 0; (double)m * n * k < 1e4 && j < n; j++)
    for (int i = 0; i < m; i++) {
      float sum = 0;
      for (int l = 0; l < k; l++) sum += (ta ? a[l + (size_t)i * lda] : a[i + (size_t)l * lda]) * (k == 1 ? 1 : tb ? b[j + (size_t)l * ldb] : b[l + (size_t)j * ldb]);
      c[i + (size_t)j * ldc] = *alpha * sum + (*beta ? *beta * c[i + (size_t)j * ldc] : 0);
    }
  return launch();
}

// Driver
int cuInit(unsigned flags) { return setting("GPU_STUB_INIT", Ok); }
int cuDriverGetVersion(int *version) { *version = setting("GPU_STUB_DRIVER", 13000); return Ok; }
int cuDeviceGetCount(int *count) { return cudaGetDeviceCount(count); }
int cuDeviceGet(int *device, int index) { *device = index; return Ok; }
int cuDeviceGetName(char *name, int length, int device) { snprintf(name, length, "Stub"); return Ok; }
int cuDeviceGetAttribute(int *value, int attribute, int device) { return cudaDeviceGetAttribute(value, attribute, device); }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = total(); return Ok; }
