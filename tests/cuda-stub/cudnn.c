// Stands in for cuDNN 9 (cuda.c says what for): one engine that supports every graph and needs no workspace. Its convolution doubles the
// first three values and leaves the rest, which is what the doctor's test of three values wants.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int cudaLaunchKernel();

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

#define LAUNCH(name) int name() { return cudaLaunchKernel(); }
LAUNCH(cudnnAddTensor)
LAUNCH(cudnnPoolingForward)
LAUNCH(cudnnActivationForward)
LAUNCH(cudnnSoftmaxForward)
LAUNCH(cudnnReduceTensor)
LAUNCH(cudnnBatchNormalizationForwardInference)

int cudnnGetReductionWorkspaceSize(void *handle, void *reduction, void *a, void *c, size_t *size) { *size = 0; return 0; }
int cudnnGetReductionIndicesSize(void *handle, void *reduction, void *a, void *c, size_t *size) { *size = 0; return 0; }

// The tensors of a variant pack; the frontend numbers weights, input and output 1, 2 and 3.
typedef struct {
  int64_t ids[16], count;
  float *pointers[16];
} Descriptor;

enum { Results = 202, EngineOfConfig = 300, ConfigOfPlan = 401, Ids = 1000, Pointers = 1001 };
enum { Int64 = 3, Int32 = 23 };

int cudnnBackendCreateDescriptor(int type, void **descriptor) { *descriptor = calloc(1, 4096); return 0; }
int cudnnBackendDestroyDescriptor(void *descriptor) { free(descriptor); return 0; }
int cudnnBackendFinalize(void *descriptor) { return 0; }
int cudnnBackendSetAttribute(void *descriptor, int name, int type, int64_t count, const void *values) {
  Descriptor *pack = descriptor;
  if (name == Ids && count <= 16) memcpy(pack->ids, values, count * sizeof *pack->ids), pack->count = count;
  if (name == Pointers && count <= 16) memcpy(pack->pointers, values, count * sizeof *pack->pointers), pack->count = count;
  return 0;
}
int cudnnBackendGetAttribute(void *descriptor, int name, int type, int64_t asked, int64_t *got, void *values) {
  int one = name == Results || name == EngineOfConfig || name == ConfigOfPlan;
  if (values && asked > 0 && type == Int32) *(int32_t *)values = 0, one = 1;
  if (values && asked > 0 && type == Int64) *(int64_t *)values = 0, one = 1;
  if (got) *got = one;
  return 0;
}
int cudnnBackendExecute(void *handle, void *plan, void *descriptor) {
  Descriptor *pack = descriptor;
  float *input = 0, *output = 0;
  for (int i = 0; i < pack->count; i++) {
    if (pack->ids[i] == 2) input = pack->pointers[i];
    if (pack->ids[i] == 3) output = pack->pointers[i];
  }
  for (int i = 0; input && output && i < 3; i++) output[i] = 2 * input[i];
  return cudaLaunchKernel();
}
