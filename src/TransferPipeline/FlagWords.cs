namespace TransferPipeline;

/// <summary>True and false as YAML and Python write them.</summary>
internal static class FlagWords
{
    /// <summary>Null for any other text.</summary>
    public static bool? Parse(string text) =>
        text.ToLowerInvariant() switch
        {
            "true" or "yes" or "on" => true,
            "false" or "no" or "off" => false,
            _ => null,
        };
}
