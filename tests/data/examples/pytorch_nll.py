"""A PyTorch loop that prints `NLL Loss` as a metric line, and what people print beside it."""

import json

import torch

torch.manual_seed(1)
x = torch.randn(256, 4)
y = (x @ torch.tensor([1.0, -2.0, 0.5, 1.0]) > 0).long()
model = torch.nn.Sequential(
    torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2), torch.nn.LogSoftmax(dim=1)
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(3):
    for batch, (inputs, labels) in enumerate(zip(x.split(32), y.split(32), strict=True)):
        loss = torch.nn.functional.nll_loss(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if batch % 4 == 0:
            step = epoch * 8 + batch
            print(json.dumps({"metric": "NLL Loss", "value": loss.item(), "step": step}))
    print(f"epoch {epoch} is done")
