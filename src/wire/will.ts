/**
 * The protocol by which a device leaves its will with a node: a signed leave,
 * to be published when the device is gone without having said so. One frame, a
 * JWT; a later one for the same room takes the place of the earlier.
 */
export const WILL_PROTOCOL = '/ghostchat/will/1.0.0'
