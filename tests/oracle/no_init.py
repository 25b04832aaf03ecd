# SPDX-License-Identifier: Apache-2.0
"""Networks of torchvision without the time that drawing their first values takes."""

import torch


class NoInit:
    """Makes torch.nn.init's functions do nothing while a network is made."""

    def __enter__(self):
        self.saved = {}
        for f in ["normal_", "uniform_", "kaiming_normal_", "kaiming_uniform_",
                  "trunc_normal_"]:
            self.saved[f] = getattr(torch.nn.init, f)
            setattr(torch.nn.init, f, lambda t, *args, **kwargs: t)

    def __exit__(self, *_):
        for f, saved in self.saved.items():
            setattr(torch.nn.init, f, saved)
