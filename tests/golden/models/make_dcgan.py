"""Makes the golden values of a small DCGAN: pictures, losses, every gradient and the running averages of one step.

usage: make_dcgan.py     (writes dcgan/ and its part of versions.json beside itself)

Both networks learn from the same weights: the discriminator from real and held generated pictures, the generator from a
held discriminator, each as in PyTorch's example of a DCGAN. golden.safetensors holds latent [B,Z], real and generated
[B,H,W,C], their values in evaluation, the two losses, grad/NAME and buffer/NAME.
"""
import json
import os

import torch
import torch.nn.functional as F
from golden_common import HERE, deterministic, normal, record, save
from torch import nn

BATCH, LATENT, WIDTH, CHANNELS, SIDE = 3, 5, 4, 1, 16


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(LATENT, 2 * WIDTH, 4, 1, 0, bias=False), nn.BatchNorm2d(2 * WIDTH), nn.ReLU(),
            nn.ConvTranspose2d(2 * WIDTH, WIDTH, 4, 2, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU(),
            nn.ConvTranspose2d(WIDTH, CHANNELS, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, x):
        return self.main(x[:, :, None, None])


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(CHANNELS, WIDTH, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
            nn.Conv2d(WIDTH, 2 * WIDTH, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * WIDTH), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * WIDTH, 1, 4, 1, 0, bias=False))

    def forward(self, x):
        return self.main(x).reshape(-1)


class Gan(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator, self.discriminator = Generator(), Discriminator()


def main():
    deterministic()
    gan = Gan()
    with torch.no_grad():
        for key, tensor in [*gan.named_parameters(), *gan.named_buffers()]:
            if key.endswith("running_var") or (tensor.ndim == 1 and key.endswith("weight")):
                tensor.copy_(normal(tensor.shape, f"dcgan/{key}", 0.1, mean=1.0))
            elif tensor.is_floating_point():
                tensor.copy_(normal(tensor.shape, f"dcgan/{key}", 0.2))
    folder = os.path.join(HERE, "dcgan")
    save(os.path.join(folder, "model.safetensors"), dict(gan.state_dict()))
    config = {"model_type": "dcgan", "architectures": ["DCGANForImageGeneration"], "num_channels": CHANNELS,
              "image_size": SIDE, "latent_size": LATENT, "hidden_size": WIDTH}
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    latent, real = normal((BATCH, LATENT), "dcgan/latent", 1.0), normal((BATCH, CHANNELS, SIDE, SIDE), "dcgan/real", 0.5)
    last = lambda x: x.permute(0, 2, 3, 1)
    golden = {"latent": latent, "real": last(real)}
    gan.eval()
    with torch.no_grad():
        golden["eval_generated"] = last(gan.generator(latent))
        golden["eval_real_logits"] = gan.discriminator(real)
    gan.train()
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)
    generated = gan.generator(latent)
    of_discriminator = (F.binary_cross_entropy_with_logits(gan.discriminator(real), ones) +
                        F.binary_cross_entropy_with_logits(gan.discriminator(generated.detach()), zeros))
    of_discriminator.backward()
    for parameter in gan.discriminator.parameters():
        parameter.requires_grad_(False)
    of_generator = F.binary_cross_entropy_with_logits(gan.discriminator(generated), ones)
    of_generator.backward()
    golden.update({"generated": last(generated), "discriminator_loss": of_discriminator, "generator_loss": of_generator})
    golden.update({"grad/" + key: p.grad for key, p in gan.named_parameters()})
    golden.update({"buffer/" + key: b for key, b in gan.named_buffers() if b.is_floating_point()})
    save(os.path.join(folder, "golden.safetensors"), golden)
    record("dcgan", folder, {})


if __name__ == "__main__":
    main()
