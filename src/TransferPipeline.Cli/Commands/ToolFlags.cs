using System.CommandLine;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Commands;

/// <summary>The options that choose adapters by name; <c>transfer doctor</c> lists them.</summary>
internal sealed class ToolFlags
{
    private readonly Option<string?> _decoder = new("--decoder")
    {
        Description = "Decoder of photos, such as pillow (the default) or imagesharp; see doctor.",
        HelpName = "NAME",
    };
    private readonly Option<string?> _parquet = new("--parquet")
    {
        Description = "Library that reads and writes Parquet; see doctor.",
        HelpName = "NAME",
    };

    /// <param name="decodes">The command decodes photos.</param>
    /// <param name="tables">The command reads or writes Parquet.</param>
    public void AddTo(Command command, bool decodes = true, bool tables = true)
    {
        if (decodes)
            command.Options.Add(_decoder);
        if (tables)
            command.Options.Add(_parquet);
    }

    /// <summary>The decoder was chosen by name.</summary>
    public bool HasDecoder(ParseResult parsed) => parsed.GetValue(_decoder) is not null;

    /// <exception cref="UsageException">There is no adapter of a name.</exception>
    public Toolbox Read(ParseResult parsed)
    {
        var (decoder, parquet) = (parsed.GetValue(_decoder), parsed.GetValue(_parquet));
        // Unknown names are reported here, before any work.
        if (decoder is not null)
            Common.Tools.Decoders.Find(decoder);
        if (parquet is not null)
            Common.Tools.ParquetLibraries.Find(parquet);
        return Common.Tools with { DecoderName = decoder, ParquetName = parquet };
    }
}
