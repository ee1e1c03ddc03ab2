using System.CommandLine;
using TransferPipeline.Inference;

namespace TransferPipeline.Cli.Commands;

/// <summary>The options that say where and in which arithmetic a backbone runs.</summary>
internal sealed class DeviceFlags
{
    private readonly Option<string> _device = new("--device") { Description = "cpu, cuda, cuda:n, cuda:n,m (a session a card) or tensorrt.", HelpName = "NAME", DefaultValueFactory = _ => "cpu" };
    private readonly Option<string> _precision = new("--precision") { Description = "fp32, or on a GPU tf32 or fp16.", HelpName = "fp32|tf32|fp16", DefaultValueFactory = _ => "fp32" };
    private readonly Option<int> _batch = Common.Number("--batch", "Photos in a batch on a GPU; 0 finds it by a trial.", 0, 0, 65536);
    private readonly Option<double> _deviceMemory = Common.Number("--device-memory", "Most GB of a GPU's memory to use; 0 for no limit.", 0.0, 0, 1e6);
    private readonly Option<string> _cudnnSearch = Common.Choice("--cudnn-search", "How cuDNN chooses convolutions.", "exhaustive", "heuristic", "default");
    private readonly Option<string> _cudaLayout = Common.Choice("--cuda-layout", "How tensors lie on a GPU; auto is nhwc for tf32 and fp16.", "auto", "nhwc", "nchw");
    private readonly Option<string> _cudaFusion = Common.Choice("--cuda-fusion", "Convolutions on a GPU add their bias themselves; auto tries both.", "auto", "on", "off");
    private readonly Option<string> _cudaGraphs = Common.Choice("--cuda-graphs", "Launch a batch's kernels as one CUDA graph.", "off", "on");

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_device, _precision, _batch, _deviceMemory, _cudnnSearch, _cudaLayout, _cudaFusion, _cudaGraphs])
            command.Options.Add(option);
    }

    public DeviceOptions Read(ParseResult parsed) =>
        DeviceOptions.Parse(parsed.GetValue(_device)!, parsed.GetValue(_precision)!, parsed.GetValue(_cudaGraphs) == "on") with
        {
            MemoryLimit = (long)(parsed.GetValue(_deviceMemory) * 1e9),
            CudnnSearch = parsed.GetValue(_cudnnSearch)!,
            CudaLayout = parsed.GetValue(_cudaLayout)!,
            CudaFusion = parsed.GetValue(_cudaFusion)!,
        };

    public int Batch(ParseResult parsed) => parsed.GetValue(_batch);
}
