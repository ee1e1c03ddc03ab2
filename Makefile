# make run           build, then the main job: extract the sample, train and compare heads, export one classifier
# make test          build and run all tests
# make build         the program as bin/transfer (the default)
# make bundle        the program with the .NET runtime, for machines without it: build/out (RID=win-x64, HEADS=ours, CUDA_ARCH=9.0, PIECES=30: see build/bundle)
# make pack          NuGet packages and the .NET tool: build/out/packages (RIDS="linux-x64 win-x64", VERSION, BASELINE: see build/pack)
# make test-pack     install those packages into an empty home and run the main job
# make bench         extraction against its bound, then the benchmarks of kernels
# make format        format the code; make format-check fails where that changes something
# make clean         delete what was built
# GPU=1              with ONNX Runtime and libtorch for CUDA; TORCH_GPU=0 beside it keeps libtorch for the CPU
SHELL := /bin/sh
.DEFAULT_GOAL := build
.PHONY: run test build bench format format-check clean bundle pack test-pack help sdk libjpeg-turbo

export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
export GPU TORCH_GPU RID RIDS VERSION BASELINE HEADS CUDA_ARCH PIECES

CONFIGURATION ?= Release
BUILD_FLAGS = -c $(CONFIGURATION) --nologo -v quiet "-clp:ErrorsOnly;NoSummary"

# The folder is made anew, so that nothing stays of a build with other packages.
build: sdk libjpeg-turbo
	@rm -rf bin
	@dotnet publish src/TransferPipeline.Cli $(BUILD_FLAGS) -o bin || { build/explain-gpu; exit 1; }
	@echo "built bin/transfer"

sdk:
	@build/check-sdk

# Decodes JPEG in half the time with the same pixels; from npm where npm is, and optional (docs/packages.md).
libjpeg-turbo:
	@build/fetch-libjpeg-turbo

run: build
	@bin/transfer run pipelines/clothing-sample.yaml

test: sdk libjpeg-turbo
	@build/run-tests

bench: build
	@bin/transfer bench extract --data samples/clothing --model efficientnet-lite0
	@dotnet run -c Release --project tests/Benchmarks -- --filter "*" --job short

format: sdk
	@dotnet tool restore >/dev/null && dotnet csharpier format . && dotnet format style TransferPipeline.sln --exclude build

format-check: sdk
	@dotnet tool restore >/dev/null && dotnet csharpier check . && dotnet format style TransferPipeline.sln --verify-no-changes --exclude build

bundle: sdk libjpeg-turbo
	@build/bundle

pack: sdk libjpeg-turbo
	@build/pack

test-pack: sdk
	@tests/pack/run-pack.sh

clean:
	@rm -rf bin out TestResults artifacts build/out BenchmarkDotNet.Artifacts

help:
	@sed -n '/^#/!q; s/^# //p' Makefile
