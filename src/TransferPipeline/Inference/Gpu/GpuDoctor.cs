using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Images;
using TransferPipeline.Inference.Gpu.Cuda;
using TransferPipeline.Onnx;
using TransferPipeline.Platform;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Inference.Gpu;

/// <summary>What this installation has for GPUs: provider, driver, libraries, and two nodes run on each GPU.</summary>
internal static class GpuDoctor
{
    /// <summary>
    /// Lines for people; one that is not ok is a problem only where a GPU is to be used: the provider or the driver is there.
    /// </summary>
    public static IEnumerable<(string Part, string Found, bool Ok)> Examine()
    {
        var provider = CudaLibraries.ProviderFile(CudaLibraries.CudaProvider);
        var compiled = OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider");
        yield return (
            "CUDA provider",
            provider is not null && compiled ? provider
            : compiled ? $"{CudaLibraries.CudaProvider} is missing beside the program"
            : $"not used; {CudaBuild.WhyNone()}",
            !compiled || provider is not null
        );
        foreach (var absent in NativePackages.NamedFolders.Where(f => !Directory.Exists(f)))
            yield return (NativePackages.Variable, $"names {absent}, which does not exist", false);
        // Before the driver is called: it may be where only the search finds it.
        var search = new CudaLibraries(Environment.GetEnvironmentVariable);
        var libraries = compiled ? search.Load(tensorRt: true) : [];
        if (compiled && search.Absent is { } missing)
            yield return (CudaLibraries.PathVariable, $"names {missing}, which does not exist", false);
        var (driver, gpus) = Driver();
        yield return driver;
        var usable = compiled;
        foreach (var found in libraries)
        {
            var optional = CudaLibraries.TensorRt.Contains(found.Library);
            if (optional && found is { Path: null })
            {
                yield return (found.Library.Name, $"not there, and needed for --device tensorrt only: {found.Library.Cure}", true);
                continue;
            }

            var ok = found.Path is not null && found.Reason is null;
            usable &= ok || optional;
            yield return (
                found.Library.Name,
                ok ? found.Path! + CudaLibraries.VersionOf(found)
                : found.Path is null ? $"missing: {found.Library.Cure}"
                : $"{found.Path} cannot be loaded: {found.Reason}",
                ok || gpus.Count == 0
            );
        }

        if (compiled)
        {
            var compiler = search.Load(CudaLibraries.Compiler);
            yield return (
                compiler.Library.Name,
                compiler is { Path: { } path, Reason: null }
                    ? path
                    : $"not there, without which cuDNN compiles no kernels, such as convolutions that add their bias: "
                        + $"{compiler.Library.Cure}",
                true
            );
        }

        // With a library missing, a test would only repeat in other words what is listed above.
        foreach (var gpu in usable ? gpus : [])
            yield return Test(gpu);
    }

    /// <summary>One convolution (cuDNN) and one matrix product (cuBLAS) on a device; what they must give is known.</summary>
    internal static string RunTest(DeviceOptions device)
    {
        var (onnx, pixels) = TestModel();
        var model = new CutModel
        {
            Model = ModelProto.Parser.ParseFrom(onnx),
            InputName = "x",
            Layout = TensorLayout.Nchw,
            InputHeight = 1,
            InputWidth = 1,
            Outputs = [new(CutRequest.Default, "y", "y", 3)],
            MaxBatch = 1,
        };
        var clock = Stopwatch.StartNew();
        using var held = new SessionHandle(SessionFactory.Create(model, device), device);
        using var runner = new BackboneRunner(held.Session, model, 1);
        pixels.CopyTo(runner.Pixels(0));
        GpuErrors.Run(runner.Run, 1, device);
        // Small whole numbers are exact in every precision, so that any difference is an error.
        if (!runner.Vectors(0).Row(0).SequenceEqual<float>([14, 16, 18]))
            throw new JobFailedException(
                $"{device} computes {string.Join(", ", runner.Vectors(0).Row(0).ToArray())} where 14, 16, 18 is right"
            );
        return string.Create(
            CultureInfo.InvariantCulture,
            $"a convolution and a matrix product run and their result is right; {clock.Elapsed.TotalMilliseconds:0} ms with the "
                + $"session's start"
        );
    }

    /// <summary>x (1 x 3 x 1 x 1, [1, 2, 3]) doubled by a convolution, times a matrix of ones, plus [2, 4, 6].</summary>
    private static (byte[] Onnx, float[] Pixels) TestModel()
    {
        var model = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "test" },
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        model.Graph.Input.Add(GraphWriter.Declare("x", DataType.Float, -1, 3, 1, 1));
        var graph = new GraphWriter(model);
        var doubled = graph.Node("Conv", ["x", graph.Constant("twos", [2f, 0, 0, 0, 2, 0, 0, 0, 2], 3, 3, 1, 1)]);
        var flat = graph.Node("Flatten", [doubled]);
        var product = graph.Node(
            "Gemm",
            [flat, graph.Constant("ones", [1f, 1, 1, 1, 1, 1, 1, 1, 1], 3, 3), graph.Constant("bias", [2f, 4, 6], 3)]
        );
        graph.Output(product, "y", DataType.Float, -1, 3);
        return (Google.Protobuf.MessageExtensions.ToByteArray(model), [1, 2, 3]);
    }

    private static ((string, string, bool), IReadOnlyList<CudaDevice>) Driver()
    {
        try
        {
            if (CudaDriver.Ask() is not { } driver)
                return (("NVIDIA driver", "none (libcuda.so.1 is not there)", true), []);
            var names = driver.Gpus.Select(c =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{c.Index}: {c.Name}, compute capability {c.Capability}, {c.MemoryBytes / 1e9:0} GB"
                )
            );
            var problem = CudaDriver.TooOld(driver.Version);
            return (
                ("NVIDIA driver", problem ?? $"for CUDA {driver.Version}; GPUs {string.Join("; ", names)}", problem is null),
                driver.Gpus
            );
        }
        catch (JobFailedException e)
        {
            return (("NVIDIA driver", e.Message, false), []);
        }
    }

    private static (string, string, bool) Test(CudaDevice gpu)
    {
        var device = new DeviceOptions { Provider = Provider.Cuda, Gpus = [gpu.Index] };
        try
        {
            return ($"test on {device}", RunTest(device), true);
        }
        catch (TransferException e)
        {
            return ($"test on {device}", e.Message, false);
        }
    }
}
