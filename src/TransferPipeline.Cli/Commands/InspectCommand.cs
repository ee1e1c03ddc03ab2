using System.CommandLine;
using TransferPipeline.Backbones;
using TransferPipeline.Cli.Output;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer inspect FILE.onnx [--cuts]</c>.</summary>
internal static class InspectCommand
{
    public static Command Create(string name, string summary)
    {
        var file = new Argument<string>("model") { Description = "An ONNX file, or a backbone of the model store." };
        var cuts = new Option<bool>("--cuts") { Description = "List the tensors at which it can be cut, with the vectors' lengths." };
        var json = Common.Json();
        var command = new Command(name, summary) { file, cuts, json };
        command.SetAction(parsed =>
        {
            var model = Common.Tools.Models.Resolve(parsed.GetValue(file)!);
            var backbone = Backbone.Open(model.File);
            if (parsed.GetValue(cuts))
                BackboneView.WriteCuts(backbone, parsed.GetValue(json));
            else
                BackboneView.WriteLayers(backbone, parsed.GetValue(json), model);
            return (int)ExitCode.Done;
        });
        return command;
    }
}
