#!/bin/bash
# Installs the packages of `make pack` as users do: the tool from the folder alone into an empty home, where it does the main job; then a
# program that adds TransferPipeline.Default. Other packages come from NuGet's package folder of this machine, or its source. Also checks that
# debuggers find the sources.
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
packages=$repository/build/out/packages
ls "$packages"/TransferPipeline.Tool.*.nupkg >/dev/null 2>&1 || { echo "no packages in $packages; run make pack first" >&2; exit 1; }
version=$(basename "$(ls "$packages"/TransferPipeline.Default.*.nupkg)" .nupkg); version=${version#TransferPipeline.Default.}
cache=$(dotnet nuget locals global-packages --list | sed 's/^[^/]*//; s,/$,,')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/home" "$work/job"
cp -r pipelines samples "$work/job/"
alone() { env -i HOME="$work/home" PATH="$work/home/.dotnet/tools:$PATH" DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false "$@"; }
fail() { echo "FAILED: $1" >&2; exit 1; }

echo "== SourceLink, in a clone whose remote is a host that it knows"
git clone --quiet . "$work/clone"
git -C "$work/clone" remote set-url origin https://github.com/example/transfer-pipeline.git
built=artifacts/bin/TransferPipeline.LibjpegTurbo/release
(cd "$work/clone" && CI=true dotnet build src/TransferPipeline.LibjpegTurbo -c Release --nologo -v quiet "-clp:ErrorsOnly;NoSummary")
dotnet run build/check-symbols.cs -- "$work/clone" "$work/clone/$built/TransferPipeline.dll" "$work/clone/$built/TransferPipeline.LibjpegTurbo.dll"

echo "== the tool, in an empty home"
started=$(date +%s)
alone dotnet tool install --global TransferPipeline.Tool --version "$version" --source "$packages" >/dev/null
cd "$work/job"
output=$(alone transfer run pipelines/clothing-sample.yaml)
[[ $output == *"340 computed"*"softmax is best with accuracy 0.820"* ]] || fail "the main job printed: $output"
[ -s out/clothing-sample/classifier.onnx ] || fail "no classifier was written"
alone transfer predict out/clothing-sample/classifier.onnx samples/clothing/validation/hat --json >/dev/null
[[ $(alone transfer heads) == *"dotnet package download libtorch-cpu-"* ]] || fail "transfer heads does not name libtorch's package"
alone transfer init samples/clothing --out new.yaml >/dev/null
alone transfer run new.yaml --dry-run >/dev/null
echo "passed in $(($(date +%s) - started)) s"

echo "== a program with TransferPipeline.Default"
mkdir "$work/program" && cd "$work/program"
cat >program.csproj <<X
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <RestoreAdditionalProjectSources>$packages</RestoreAdditionalProjectSources>
    <RestorePackagesPath>$work/restored</RestorePackagesPath>
    <RestoreFallbackFolders>$cache</RestoreFallbackFolders>
  </PropertyGroup>
  <ItemGroup><PackageReference Include="TransferPipeline.Default" Version="$version" /></ItemGroup>
</Project>
X
cat >Program.cs <<'X'
var tools = TransferPipeline.DefaultTools.Create();
System.Console.WriteLine($"{tools.Trainers.Count} heads");
X
dotnet build -c Release --nologo -v quiet "-clp:ErrorsOnly;NoSummary" -o out
output=$(./out/program)
[[ $output =~ ^[1-9][0-9]*\ heads$ ]] || fail "the program printed: $output"
[ -s out/models/efficientnet-lite0.onnx ] || fail "the program has no backbone"

echo "== the same with ONNX Runtime's CUDA build, whose libraries have the CPU build's names"
cuda=$(sed -n 's/.*<OnnxRuntimeGpuVersion>\(.*\)<.*/\1/p' "$repository/Directory.Packages.props")
sed -i "s,<ItemGroup>,&<PackageReference Include=\"Microsoft.ML.OnnxRuntime.Gpu.Linux\" Version=\"$cuda\" />," program.csproj
natives=$(dotnet msbuild -restore -t:ResolvePackageAssets -getItem:RuntimeTargetsCopyLocalItems | grep '"Identity".*/linux-x64/native/libonnxruntime.so' || true)
[[ $natives == *"/microsoft.ml.onnxruntime.gpu.linux/"* && $(wc -l <<<"$natives") = 1 ]] || fail "ONNX Runtime's libraries are $natives"
echo "PASSED: $output"
