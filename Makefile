# make run   - build, then the main job: extract the sample, train and compare heads, export one classifier
# make test  - build and run all tests
SHELL := /bin/sh
.DEFAULT_GOAL := build
.PHONY: run test build bench format format-check clean bundle libjpeg-turbo

export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
export GPU

CONFIGURATION ?= Release
BUILD_FLAGS = -c $(CONFIGURATION) --nologo -v quiet -clp:ErrorsOnly

build: libjpeg-turbo
	@dotnet publish src/TransferPipeline.Cli $(BUILD_FLAGS) -o bin
	@echo "built bin/transfer"

# Decodes JPEG in half the time with the same pixels; from npm where npm is, and optional (docs/packages.md).
libjpeg-turbo:
	@build/fetch-libjpeg-turbo

run: build
	@bin/transfer run pipelines/clothing-sample.yaml

test: libjpeg-turbo
	@build/run-tests

bench: build
	@bin/transfer bench extract --data samples/clothing --model efficientnet-lite0
	@dotnet run -c Release --project tests/Benchmarks -- --filter "*" --job short

format:
	@dotnet format TransferPipeline.sln --exclude build

format-check:
	@dotnet format TransferPipeline.sln --verify-no-changes --exclude build

bundle: libjpeg-turbo
	@build/bundle

clean:
	@rm -rf bin out TestResults artifacts build/out
