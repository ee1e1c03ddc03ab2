namespace TransferPipeline.Images;

/// <summary>A rectangle of pixels.</summary>
internal readonly record struct PixelBox(int X, int Y, int Width, int Height);
