namespace TransferPipeline.Images;

/// <summary>Writes pictures as JPEG, for the pages' thumbnails.</summary>
internal interface IImageEncoder
{
    /// <summary>The picture as a baseline JPEG without metadata; the same picture gives the same bytes. Thread-safe.</summary>
    /// <param name="quality">1 to 100, on libjpeg's scale; below 90 the colours have half the resolution.</param>
    byte[] EncodeJpeg(RgbImage image, int quality);
}
