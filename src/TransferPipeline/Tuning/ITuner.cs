namespace TransferPipeline.Tuning;

/// <summary>An outside library that trains the part of a backbone above a cut.</summary>
internal interface ITuner
{
    /// <summary>
    /// Why the part cannot be trained, in one line with the node and the cure: an operator that has no derivative here, a quantized or
    /// half-precision graph. Null when it can. Reads no weights and computes nothing.
    /// </summary>
    string? Problem(TunedGraph graph);

    /// <summary>Loads the weights and makes the part ready to train.</summary>
    /// <exception cref="BadInputException"><see cref="Problem"/> is not null, or the graph does not fit the cut's shapes.</exception>
    /// <exception cref="JobFailedException">The device cannot be used.</exception>
    ITunedPart Open(TunedGraph graph, TunerOptions options);
}
