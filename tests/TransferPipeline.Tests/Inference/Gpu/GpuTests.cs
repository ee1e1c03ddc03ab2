using TransferPipeline.Backbones;
using TransferPipeline.Extraction;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;
using TransferPipeline.Inference.Gpu.Cuda;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Backbones;
using TransferPipeline.Tests.Extraction;

namespace TransferPipeline.Tests.Inference.Gpu;

/// <summary>What surrounds a GPU's session: options, libraries, placement of nodes. None of it needs a GPU.</summary>
public sealed class GpuTests : IDisposable
{
    private static readonly DeviceOptions Gpu = new() { Provider = Provider.Cuda, Gpus = [1] };

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("cuda", "0", "cuda:0")]
    [InlineData("cuda:2", "2", "cuda:2")]
    [InlineData("cuda:0,3", "0,3", "cuda:0,3")]
    [InlineData("tensorrt:1", "1", "tensorrt:1")]
    public void Parse_ReadsGpus(string text, string gpus, string written)
    {
        var device = new DeviceOptions { Device = text };
        Assert.Equal(gpus, string.Join(',', device.Gpus));
        Assert.Equal(written, device.ToString());
    }

    [Theory]
    [InlineData("cuda:")]
    [InlineData("cuda:0,0")]
    [InlineData("cuda:-1")]
    [InlineData("cpu:0")]
    [InlineData("gpu")]
    public void Parse_OfAnythingElse_IsAUsageError(string text) => Assert.Throws<UsageException>(() => new DeviceOptions { Device = text });

    [Fact]
    public void Parse_OfGpu_SuggestsCuda() =>
        Assert.EndsWith(
            "did you mean 'cuda'?",
            Assert.Throws<UsageException>(() => new DeviceOptions { Device = "gpu" }).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Missing_NamesTheGpuThatIsNotThereAndThoseThatAre()
    {
        CudaDevice[] gpus = [new(0, "H100", 80), new(1, "L4", 24)];
        Assert.Null(CudaDriver.Missing(Gpu.Gpus, gpus));
        Assert.Equal(
            "there is no GPU 3: the driver shows 0 (H100), 1 (L4), as far as CUDA_VISIBLE_DEVICES lets it",
            CudaDriver.Missing([0, 3], gpus)
        );
    }

    [Theory]
    [InlineData("13.0", null)]
    [InlineData("14.1", null)]
    [InlineData("12.9", "the NVIDIA driver is for CUDA 12.9 at most, CUDA 13 is needed: install driver 580 or newer")]
    public void TooOld_TellsADriverThatCannotRunTheProvider(string version, string? problem) =>
        Assert.Equal(problem, CudaDriver.TooOld(version));

    [Fact]
    public void CudaSettings_SayWhatWasAskedFor()
    {
        var settings = SessionFactory.CudaSettings(
            Gpu with
            {
                Precision = Precision.Tf32,
                MemoryLimit = 5_000_000_000,
                CudnnSearch = CudnnSearch.Heuristic,
            }
        );
        Assert.Equal(
            ("1", "1", "5000000000", "HEURISTIC"),
            (settings["device_id"], settings["use_tf32"], settings["gpu_mem_limit"], settings["cudnn_conv_algo_search"])
        );
        Assert.Equal(("0", "0"), (SessionFactory.CudaSettings(Gpu)["use_tf32"], SessionFactory.CudaSettings(Gpu)["prefer_nhwc"]));
        // ONNX Runtime takes it for leave to use tensor cores at all.
        Assert.Equal("1", SessionFactory.CudaSettings(Gpu with { Precision = Precision.Fp16 })["use_tf32"]);
        Assert.Equal("1", SessionFactory.CudaSettings(Gpu, nhwc: true)["prefer_nhwc"]);
        var more = SessionFactory.CudaSettings(Gpu, nhwc: true, "prefer_nhwc=0, fuse_conv_bias=1");
        Assert.Equal(("0", "1"), (more["prefer_nhwc"], more["fuse_conv_bias"]));
        Assert.Contains(
            "expected name=value",
            Assert.Throws<UsageException>(() => SessionFactory.CudaSettings(Gpu, more: "prefer_nhwc")).Message,
            StringComparison.Ordinal
        );
        Assert.False(SessionFactory.CudaSettings(Gpu).ContainsKey("gpu_mem_limit"));
        Assert.Equal("1", SessionFactory.CudaSettings(Gpu with { CudaGraphs = true })["enable_cuda_graph"]);
        Assert.False(SessionFactory.CudaSettings(Gpu).ContainsKey("enable_cuda_graph"));
        Assert.Equal(
            ("0", "1"),
            (
                SessionFactory.CudaSettings(Gpu)["fuse_conv_bias"],
                SessionFactory.CudaSettings(Gpu with { CudaFusion = CudaFusion.On })["fuse_conv_bias"]
            )
        );
        Assert.Equal("1", SessionFactory.TensorRtSettings(Gpu with { Precision = Precision.Fp16 })["trt_fp16_enable"]);
    }

    [Theory]
    [InlineData(CudaLayout.Auto, Precision.Fp32, false)]
    [InlineData(CudaLayout.Auto, Precision.Tf32, true)]
    [InlineData(CudaLayout.Auto, Precision.Fp16, true)]
    [InlineData(CudaLayout.Nchw, Precision.Fp16, false)]
    [InlineData(CudaLayout.Nhwc, Precision.Fp32, true)]
    public void WantsNhwc_WhereTensorCoresWorkUnlessToldOtherwise(CudaLayout layout, Precision precision, bool wanted) =>
        Assert.Equal(wanted, SessionFactory.WantsNhwc(SmallModel.Cut(_folder), Gpu with { CudaLayout = layout, Precision = precision }));

    [Theory]
    [InlineData(CudaLayout.Auto, Precision.Fp32, false)]
    [InlineData(CudaLayout.Nhwc, Precision.Fp32, false)]
    [InlineData(CudaLayout.Auto, Precision.Tf32, true)]
    [InlineData(CudaLayout.Auto, Precision.Fp16, true)]
    [InlineData(CudaLayout.Nchw, Precision.Fp16, false)]
    public void MayFuse_WhereTensorCoresAreWantedAnyway(CudaLayout layout, Precision precision, bool may) =>
        Assert.Equal(may, SessionFactory.MayFuse(SmallModel.Cut(_folder), Gpu with { CudaLayout = layout, Precision = precision }));

    [Fact]
    public void WantsNhwc_OfAGraphThatComputesWithShapes_OnlyWhenTold()
    {
        var model = SmallModel.Cut(_folder);
        var proto = model.Model.Clone();
        proto.Graph.Node.Add(
            new NodeProto
            {
                OpType = "Shape",
                Input = { model.InputName },
                Output = { "shape" },
            }
        );
        model = model with { Model = proto };
        Assert.False(SessionFactory.WantsNhwc(model, Gpu with { Precision = Precision.Fp16 }));
        Assert.True(SessionFactory.WantsNhwc(model, Gpu with { Precision = Precision.Fp16, CudaLayout = CudaLayout.Nhwc }));
    }

    [Fact]
    public void SearchFolders_AreThoseOfTheVariableCondaPipAndTheSystemInThisOrder()
    {
        string[] folders =
        [
            _folder.At("given", "nvidia", "cu13", "lib"),
            _folder.At("conda", "lib"),
            _folder.At("venv", "lib", "python3.12", "site-packages", "nvidia", "cudnn", "lib"),
            _folder.At("other", "lib", "python3.13", "site-packages", "nvidia", "cu13", "lib"),
            _folder.At("other", "lib", "python3.13", "site-packages", "tensorrt_libs"),
            _folder.At("root", "usr", "local", "cuda-13.1", "lib64"),
            _folder.At("root", "usr", "lib", "python3", "dist-packages", "nvidia", "curand", "lib"),
            _folder.At("home", ".local", "lib", "python3.11", "site-packages", "nvidia", "cublas", "lib"),
            _folder.At("root", "usr", "local", "nvidia", "lib64"),
        ];
        Array.ForEach(folders, f => Directory.CreateDirectory(f));
        Directory.CreateDirectory(_folder.At("other", "bin"));
        _folder.Write(Path.Combine("other", "bin", "python3"), "");
        var environment = new Dictionary<string, string>
        {
            [CudaLibraries.PathVariable] = _folder.At("given"),
            ["CONDA_PREFIX"] = _folder.At("conda"),
            ["VIRTUAL_ENV"] = _folder.At("venv"),
            ["PATH"] = $"{_folder.At("nowhere")}:{_folder.At("other", "bin")}",
            ["HOME"] = _folder.At("home"),
        };
        var found = new CudaLibraries(environment.GetValueOrDefault, _folder.At("root")).SearchFolders;
        Assert.Equal(folders, found.Where(f => folders.Contains(f)));
    }

    /// <summary>
    /// An environment that is named, one whose python3 is reached by a link, conda's own libraries where nobody activated it, and a
    /// cluster's module.
    /// </summary>
    [Fact]
    public void SearchFolders_HoldEnvironmentsThatAreNotActivated()
    {
        string[] folders =
        [
            _folder.At("named", "lib", "python3.12", "site-packages", "nvidia", "cu13", "lib"),
            _folder.At("conda", "lib"),
            _folder.At("conda", "lib", "python3.12", "site-packages", "nvidia", "cudnn", "lib"),
            _folder.At("linked", "lib", "python3.13", "site-packages", "nvidia", "cu13", "lib"),
            _folder.At("module", "lib64"),
        ];
        Array.ForEach(folders, f => Directory.CreateDirectory(f));
        foreach (var folder in (string[])["conda/conda-meta", "conda/bin", "linked/bin", "tools/bin", "tools/lib"])
            Directory.CreateDirectory(_folder.At(folder));
        _folder.Write("conda/bin/python3", "");
        _folder.Write("linked/bin/python3", "");
        File.CreateSymbolicLink(_folder.At("tools", "bin", "python3"), "../../linked/bin/python3");
        var environment = new Dictionary<string, string>
        {
            [CudaLibraries.PathVariable] = $"{_folder.At("named")}:{_folder.At("gone")}",
            ["PATH"] = $"{_folder.At("conda", "bin")}:{_folder.At("tools", "bin")}",
            ["CUDA_HOME"] = _folder.At("module"),
        };
        var search = new CudaLibraries(environment.GetValueOrDefault, _folder.At("root"));
        Assert.Equal(folders, search.SearchFolders.Where(f => folders.Contains(f)));
        // Beside a Python that is not conda's lies whatever the system has.
        Assert.DoesNotContain(_folder.At("tools", "lib"), search.SearchFolders);
        Assert.Equal(_folder.At("gone"), search.Absent);
    }

    [Fact]
    public void Load_WhereOnlyAnotherVersionIs_NamesIt()
    {
        var other = _folder.Write("libnvinfer.so.11.0.2", "of TensorRT 11");
        var found = new CudaLibraries(name => name == CudaLibraries.PathVariable ? _folder.Root : null).Load(tensorRt: true);
        var missing = found.Where(f => f.Library.Name == "libnvinfer.so.10").ToList();
        Assert.Equal(other, Assert.Single(missing).Other);
        Assert.Equal(
            $"libnvinfer.so.10 is missing ({other} is of another version): install TensorRT 10 for CUDA 13 (pip's tensorrt-cu13 below "
                + $"version 11)",
            CudaLibraries.Describe(missing)
        );
    }

    [Fact]
    public void Load_OfALibraryThatIsNone_SaysWhereItIsAndWhy()
    {
        var file = _folder.Write("libcudart.so.13", "not a library");
        var found = new CudaLibraries(name => name == CudaLibraries.PathVariable ? _folder.Root : null).Load();
        var runtime = Assert.Single(found, f => f.Library.Name == "libcudart.so.13");
        Assert.Equal(file, runtime.Path);
        Assert.NotNull(runtime.Reason);
        Assert.All(found, f => Assert.Contains("install", f.Library.Cure, StringComparison.Ordinal));
    }

    [Fact]
    public void Describe_NamesWhatIsMissingOrBroken_WithOneCureForAllThatPipBrings()
    {
        var found = new CudaLibraries(_ => null, _folder.Root).Load(tensorRt: true);
        var absent = found.Select(f => f with { Path = null, Reason = null }).ToList();
        Assert.Equal(
            "libcuda.so.1 is missing: install the NVIDIA driver (580 or newer for CUDA 13); "
                + "libcudart.so.13, libcublasLt.so.13, libcublas.so.13, libcurand.so.10, libcudnn.so.9 are missing: install CUDA 13 "
                + "and cuDNN 9, "
                + "or 'pip install nvidia-cuda-runtime~=13.0 nvidia-cublas~=13.0 nvidia-curand nvidia-cudnn-cu13', or name a folder "
                + "with them in TRANSFER_CUDA_PATH; "
                + "libnvinfer.so.10, libnvonnxparser.so.10 are missing: install TensorRT 10 for CUDA 13 (pip's tensorrt-cu13 below "
                + "version 11)",
            CudaLibraries.Describe(absent)
        );
        var all = found.Select(f => f with { Path = "/there/" + f.Library.Name, Reason = null }).ToList();
        Assert.Null(CudaLibraries.Describe(all));
        all[^3] = all[^3] with { Reason = "wrong ELF class" };
        Assert.Equal(
            "libcudnn.so.9 in /there/libcudnn.so.9 cannot be loaded (wrong ELF class): install cuDNN 9, or 'pip install "
                + "nvidia-cudnn-cu13', or name a folder with it in TRANSFER_CUDA_PATH",
            CudaLibraries.Describe(all)
        );
    }

    [Fact]
    public void CreateChecked_ReadsWhereTheNodesRan()
    {
        var model = PixelInput.Apply(SmallModel.Cut(_folder), new());
        var profile = _folder.At("profile");
        using var session = SessionFactory.Create(model, new(), profile: profile);
        using (var memory = TensorMemory.Plain())
        using (var batch = new BatchTensors(memory, model, 1))
        using (var runner = new BoundRunner(session, model, memory, 1))
            runner.Run(batch);
        var file = session.EndProfiling();
        Assert.StartsWith(profile, file, StringComparison.Ordinal);
        var nodes = NodePlacement.Read(File.ReadAllText(file));
        Assert.Contains(nodes, n => n.Operator.Contains("Conv", StringComparison.Ordinal));
        Assert.All(nodes, n => Assert.Equal("CPUExecutionProvider", n.Provider));
        var warning = NodePlacement.Warning([.. nodes, new("conv", "Conv", "CUDAExecutionProvider")], Gpu);
        Assert.Contains(
            $"{nodes.Count} of {nodes.Count + 1} nodes run on the CPU although cuda:1 was requested",
            warning,
            StringComparison.Ordinal
        );
        Assert.Null(NodePlacement.Warning([new("conv", "Conv", "CUDAExecutionProvider")], Gpu));
        using var checkedSession = NodePlacement.CreateChecked(model, new(), _ => Assert.Fail("no message for the CPU"));
        Assert.Equal(model.Outputs[0].Name, checkedSession.OutputNames[0]);
    }

    [Fact]
    public void Warning_LeavesOutArithmeticOnShapes()
    {
        // As ONNX Runtime writes them.
        const string Profile = """
            [{"cat":"Session","name":"model_run","args":{}},
             {"cat":"Node","name":"shape_kernel_time",
              "args":{"op_name":"Gather","provider":"CPUExecutionProvider","output_type_shape":[{"int64":[1]}]}},
             {"cat":"Node","name":"scalar_kernel_time",
              "args":{"op_name":"Cast","provider":"CPUExecutionProvider","output_type_shape":[{"int64":[]}]}},
             {"cat":"Node","name":"pixels_kernel_time",
              "args":{"op_name":"Det","provider":"CPUExecutionProvider","output_type_shape":[{"float":[1]}]}},
             {"cat":"Node","name":"long_kernel_time",
              "args":{"op_name":"NonZero","provider":"CPUExecutionProvider","output_type_shape":[{"int64":[2,500]}]}},
             {"cat":"Node","name":"conv_kernel_time",
              "args":{"op_name":"Conv","provider":"CUDAExecutionProvider","output_type_shape":[{"float":[1,8,8,8]}]}}]
            """;
        var warning = NodePlacement.Warning(NodePlacement.Read(Profile), Gpu);
        Assert.StartsWith("warning: 2 of 5 nodes run on the CPU although cuda:1 was requested", warning, StringComparison.Ordinal);
        Assert.EndsWith(": 1 Det (such as pixels), 1 NonZero (such as long)", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void RunTest_OnTheCpu_IsRight() => Assert.Contains("their result is right", GpuDoctor.RunTest(new()), StringComparison.Ordinal);
}
