"""DANN with its loop, on one page: what the library does, without the library's trainer.

Ends by checking that the library gives the same weights, bit for bit.
"""

import torch

import acclimate as ac
from acclimate.data.preprocess import Preprocess
from acclimate.data.synthetic import shifted_blobs
from acclimate.networks.mlp import Mlp
from acclimate.objectives.adversarial import domain_loss, reverse_gradient
from acclimate.objectives.schedules import annealing, reversal_ramp
from acclimate.streams.pair import PairedStream

STEPS, BATCH, LR, SEED = 50, 32, 0.01, 0
task = shifted_blobs(200)

# Data: z-scored by both sides together, drawn in two independent seeded orders.
preprocess = Preprocess.of_features([task.source, task.target])
stream = PairedStream(task.source, task.target, preprocess, BATCH, SEED)

# Networks and their optimizers. Dropout draws from the generator seeded second.
architecture = Mlp(channels=2)
torch.manual_seed(SEED)
features, classifier = architecture.features(), architecture.classifier(3)
discriminator = architecture.discriminator()
optimizers = [
    torch.optim.SGD(net.parameters(), lr=LR, momentum=0.9, fused=True)
    for net in (features, classifier, discriminator)
]
torch.manual_seed(SEED + 1)

for step in range(STEPS):
    progress = step / STEPS
    for optimizer in optimizers:
        optimizer.param_groups[0]["lr"] = LR * annealing(progress)
        optimizer.zero_grad()
    batch = stream.batch(progress, torch.device("cpu"))

    source, target = features(batch.source.x), features(batch.target.x)
    label_loss = torch.nn.functional.cross_entropy(classifier(source), batch.source.y)
    reversed_features = reverse_gradient(torch.cat([source, target]), reversal_ramp(progress))
    domains = discriminator(reversed_features)
    loss = label_loss + domain_loss(domains[:BATCH], domains[BATCH:])

    loss.backward()
    for optimizer in optimizers:
        optimizer.step()

model = ac.DANN(steps=STEPS, batch_size=BATCH, lr=LR, seed=SEED, network="mlp").fit(task.source, task.target)
ours = dict(model._fitted.nets["features"].named_parameters())
assert all(torch.equal(ours[name], value) for name, value in features.named_parameters()), "the two should agree"
print(f"label loss {label_loss.item():.3f}; the library's weights are the same, bit for bit")
