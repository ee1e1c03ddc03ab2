# make run   - build, then the main job: extract the sample, train and compare heads, export one classifier
# make test  - build and run all tests
SHELL := /bin/sh
.DEFAULT_GOAL := build
.PHONY: run test build bench format format-check clean packages bundle

export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
export TRANSFER_PACKAGES
export GPU

CONFIGURATION ?= Release
BUILD_FLAGS = -c $(CONFIGURATION) --nologo -v quiet -clp:ErrorsOnly

packages:
	@build/select-packages

# Started afresh for other packages: publish leaves what they do not replace, and natives that are newer.
build: packages
	@packages="$$(cat build/packages.selected) $(GPU)"; \
	[ "$$(cat bin/.packages 2>/dev/null)" = "$$packages" ] || rm -rf bin; \
	dotnet publish src/TransferPipeline.Cli $(BUILD_FLAGS) -o bin && echo "$$packages" >bin/.packages
	@echo "built bin/transfer"

run: build
	@bin/transfer run pipelines/clothing-sample.yaml

test: packages
	@build/run-tests

bench: build
	@bin/transfer bench extract --data samples/clothing --model efficientnet-lite0
	@dotnet run -c Release --project tests/Benchmarks -- --filter "*" --job short

format: packages
	@dotnet format TransferPipeline.sln --no-restore --exclude build

format-check: packages
	@dotnet format TransferPipeline.sln --verify-no-changes --exclude build

bundle: packages
	@build/bundle

clean:
	@rm -rf bin out TestResults build/packages.selected build/probe/obj build/probe/bin
	@find src tests docs -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
