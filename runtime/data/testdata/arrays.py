# Makes the NumPy files of this folder: python arrays.py (written by NumPy 2.4.6).
import numpy as np
from numpy.lib import format

a = np.arange(24).reshape(2, 3, 4)
np.save("c_i8.npy", a)
np.save("fortran_f8.npy", np.asfortranarray(a / 4))
np.save("big_f4.npy", (a - 7.5).astype(">f4"))
np.save("half.npy", np.array([0, -0.0, 1, -2, 65504, 2**-24, 0.1, np.inf, -np.inf, np.nan], "<f2"))
np.save("bool.npy", np.array([[True, False], [False, True]]))
np.save("u1.npy", np.array([0, 7, 255], "u1"))
np.save("big_i2.npy", np.array([-32768, -1, 0, 32767], ">i2"))
np.save("u8.npy", np.array([0, 2**53 + 1, 2**64 - 1], "u8"))
np.save("scalar.npy", np.float32(1.5))
np.save("empty.npy", np.zeros((0, 5), "f4"))
np.save("complex.npy", np.array([1j]))
np.save("text.npy", np.array(["ab", "c"]))
np.save("record.npy", np.zeros(2, [("x", "f4"), ("y", "i4")]))
np.save("object.npy", np.array([{}], object), allow_pickle=True)
for version in (2, 0), (3, 0):
    with open("version%d.npy" % version[0], "wb") as f:
        format.write_array(f, a.astype("i4"), version=version)
np.savez("plain.npz", x=a.astype("f4"), y=np.array([1, 0], "i4"))
np.savez_compressed("packed.npz", x=a.astype("f4"), y=np.array([1, 0], "i4"))
