namespace TransferPipeline.Jobs;

/// <summary>A named step with options as text: a head or an augmentation.</summary>
/// <param name="Options">Option names and values; lists are written <c>[a, b]</c>, and null is the default.</param>
/// <param name="Where">File and line, for messages.</param>
internal sealed record StepRequest(string Name, IReadOnlyDictionary<string, string?> Options, string Where);
