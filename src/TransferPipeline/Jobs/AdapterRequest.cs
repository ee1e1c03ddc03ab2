namespace TransferPipeline.Jobs;

/// <summary>An adapter by its name.</summary>
/// <param name="Where">File, line and key, for messages.</param>
internal sealed record AdapterRequest(string Name, string Where);
