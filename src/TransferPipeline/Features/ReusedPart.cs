namespace TransferPipeline.Features;

/// <summary>A part of the old set as it will be in the new one.</summary>
/// <param name="Part">The old part.</param>
/// <param name="Source">Row in the old part, by new row.</param>
/// <param name="Positions">Position in the whole set, by new row.</param>
/// <param name="Rows">The columns, by new row.</param>
/// <param name="Rewrite">The file has to be written anew: labels, splits or paths changed, or photos are gone.</param>
internal sealed record ReusedPart(FeaturePart Part, int[] Source, int[] Positions, FeatureRow[] Rows, bool Rewrite);
