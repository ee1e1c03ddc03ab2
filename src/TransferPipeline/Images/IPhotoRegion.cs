namespace TransferPipeline.Images;

/// <summary>States which pixels of a photo will be read, so that a decoder can leave out the others.</summary>
internal interface IPhotoRegion
{
    /// <summary>The box that is read of a photo of this size; it lies inside the photo.</summary>
    PixelBox Region(int width, int height);
}
