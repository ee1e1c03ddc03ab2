// Stands in for cuDNN 9 (cuda.c says what for): one engine that supports every graph and needs no workspace. Its convolution doubles the
// first three values and leaves the rest, which is what the doctor's test of three values wants.
//   GPU_STUB_CUDNN    "no fusion": graphs of several operations have no engine; "fails": they have one that fails when it runs;
//                     "tensor cores": the engine says that it uses them
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int launch(void);
extern void say(const char *format, ...);

size_t cudnnGetVersion(void) { return 91400; }
int cudnnCreate(void **handle) { *handle = malloc(16); return 0; }
const char *cudnnGetErrorString(int status) { return "CUDNN_STATUS_OF_STUB"; }
void cudnnGetLastErrorString(char *text, size_t length) { snprintf(text, length, "an error of the stub"); }

#define CREATE(name) int name(void **descriptor) { *descriptor = calloc(1, 64); return 0; }
CREATE(cudnnCreateTensorDescriptor)
CREATE(cudnnCreateFilterDescriptor)
CREATE(cudnnCreateConvolutionDescriptor)
CREATE(cudnnCreateActivationDescriptor)
CREATE(cudnnCreatePoolingDescriptor)
CREATE(cudnnCreateReduceTensorDescriptor)

#define LAUNCH(name) int name() { say(#name); return launch(); }
LAUNCH(cudnnAddTensor)
LAUNCH(cudnnPoolingForward)
LAUNCH(cudnnActivationForward)
LAUNCH(cudnnSoftmaxForward)
LAUNCH(cudnnReduceTensor)
LAUNCH(cudnnBatchNormalizationForwardInference)

int cudnnGetReductionWorkspaceSize(void *handle, void *reduction, void *a, void *c, size_t *size) { *size = 0; return 0; }
int cudnnGetReductionIndicesSize(void *handle, void *reduction, void *a, void *c, size_t *size) { *size = 0; return 0; }

// What is told of a descriptor. Those that are made of a graph of operations (heuristics, engines, plans) know its operations; the frontend
// numbers the tensors of a variant pack: weights, input and output are 1, 2 and 3 without a fused bias.
typedef struct {
  int type;
  char operations[128];
  int count;
  int64_t ids[16], tensors;
  float *pointers[16];
} Descriptor;

enum { Heuristics = 4, Plan = 5, Convolution = 10, Pointwise = 13, Graph = 15 };
enum { Results = 202, EngineOfConfig = 300, ConfigOfPlan = 401, Operations = 801, NumericalNotes = 1303, Ids = 1000, Pointers = 1001 };
enum { Int64 = 3, BackendDescriptor = 15, Int32 = 23 };
enum { NotSupported = 3000, ExecutionFailed = 5000 };

static int is(const char *wanted) {
  const char *set = getenv("GPU_STUB_CUDNN");
  return set && !strcmp(set, wanted);
}

int cudnnBackendCreateDescriptor(int type, void **descriptor) {
  Descriptor *made = *descriptor = calloc(1, 4096);
  made->type = type;
  return 0;
}
int cudnnBackendDestroyDescriptor(void *descriptor) { free(descriptor); return 0; }
int cudnnBackendFinalize(void *descriptor) {
  Descriptor *made = descriptor;
  if (made->type == Plan) say("cudnn plan");
  return made->type == Plan && made->count > 1 && is("no fusion") ? NotSupported : 0;
}
int cudnnBackendSetAttribute(void *descriptor, int name, int type, int64_t count, const void *values) {
  Descriptor *set = descriptor;
  if (name == Ids && count <= 16) memcpy(set->ids, values, count * sizeof *set->ids), set->tensors = count;
  if (name == Pointers && count <= 16) memcpy(set->pointers, values, count * sizeof *set->pointers), set->tensors = count;
  if (type != BackendDescriptor) return 0;
  Descriptor *const *parts = values;
  for (int i = 0; i < count && parts[i]; i++) {
    if (set->type == Graph && name == Operations) {
      const char *text = parts[i]->type == Convolution ? "convolution" : parts[i]->type == Pointwise ? "pointwise" : "other";
      if (set->count++) strcat(set->operations, "+");
      if (strlen(set->operations) + 16 < sizeof set->operations) strcat(set->operations, text);
    } else if (parts[i]->count && set->type != Graph) {
      strcpy(set->operations, parts[i]->operations);
      set->count = parts[i]->count;
    }
  }
  return 0;
}
int cudnnBackendGetAttribute(void *descriptor, int name, int type, int64_t asked, int64_t *got, void *values) {
  Descriptor *of = descriptor;
  int one = name == Results || name == EngineOfConfig || name == ConfigOfPlan;
  if (values && asked > 0 && type == BackendDescriptor && of->count) {
    Descriptor *result = *(Descriptor **)values;
    if (result) strcpy(result->operations, of->operations), result->count = of->count;
  }
  // Note 0 is that of tensor cores.
  if (name == NumericalNotes && is("tensor cores")) {
    if (values && asked > 0) *(int *)values = 0;
    one = 1;
  }
  if (values && asked > 0 && type == Int32) *(int32_t *)values = 0, one = 1;
  if (values && asked > 0 && type == Int64) *(int64_t *)values = 0, one = 1;
  if (got) *got = one;
  return 0;
}
int cudnnBackendExecute(void *handle, void *plan, void *descriptor) {
  Descriptor *run = plan, *pack = descriptor;
  say("cudnn %s", run->operations);
  if (run->count > 1 && is("fails")) return ExecutionFailed;
  float *input = 0, *output = 0;
  for (int i = 0; i < pack->tensors; i++) {
    if (pack->ids[i] == 2) input = pack->pointers[i];
    if (pack->ids[i] == 3) output = pack->pointers[i];
  }
  for (int i = 0; run->count < 2 && input && output && i < 3; i++) output[i] = 2 * input[i];
  return launch();
}
