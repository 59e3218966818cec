!> Where two layerings of the same ground overlap.
module pl_layer_overlap
   use pl_error, only: error_input, error_type, raise_error
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: find_overlap, layer_overlap_type

   real(rk), parameter :: round_off = 1.0e-9_rk !! of depths, as share of the depth [1]

   !> Pieces, each of one layer of the land and one of the subsurface, from the top down.
   type :: layer_overlap_type
      integer :: count = 0                   !! pieces [1]
      integer, allocatable :: land(:)        !! layer of the land
      integer, allocatable :: ground(:)      !! layer of the subsurface
      real(rk), allocatable :: land_share(:) !! of it in the layer of the land [1]
      real(rk), allocatable :: ground_share(:) !! of it in the layer of the subsurface [1]
   end type layer_overlap_type

contains

   !> Pieces of two layerings; interfaces that agree to round-off are one.
   subroutine find_overlap(land, ground, overlap, error)
      real(rk), intent(in) :: land(:)   !! thickness of the layers of the land, top first [m]
      real(rk), intent(in) :: ground(:) !! of the subsurface [m]
      type(layer_overlap_type), intent(out) :: overlap
      type(error_type), allocatable, intent(out) :: error !! the land reaches deeper than the subsurface
      real(rk), allocatable :: depth(:) ! thickness of the pieces [m]
      real(rk) :: base_ground, base_land, near, top
      integer :: c, k, n
      near = round_off*sum(ground)
      if (sum(land) > sum(ground) + near) then
         call raise_error(error, error_input, "soil layers of the land must not reach deeper than the subsurface")
         return
      end if
      allocate (overlap%land(size(land) + size(ground)), overlap%ground(size(land) + size(ground)))
      allocate (depth(size(land) + size(ground)))
      top = 0.0_rk
      base_land = land(1)
      base_ground = ground(1)
      c = 1
      k = 1
      n = 0
      do
         n = n + 1
         overlap%land(n) = k
         overlap%ground(n) = c
         depth(n) = min(base_land, base_ground) - top
         top = min(base_land, base_ground)
         if (base_ground <= top + near) then
            c = c + 1
            if (c <= size(ground)) base_ground = base_ground + ground(c)
         end if
         if (base_land <= top + near) then
            k = k + 1
            if (k > size(land)) exit
            base_land = base_land + land(k)
         end if
         if (c > size(ground)) exit
      end do
      overlap%count = n
      overlap%land = overlap%land(:n)
      overlap%ground = overlap%ground(:n)
      call share_layers(overlap%land, depth(:n), overlap%land_share)
      overlap%ground_share = depth(:n)/ground(overlap%ground)
      ! a layer that ends where the other layering has an interface is whole, not whole to round-off
      where (abs(overlap%ground_share - 1.0_rk) <= round_off) overlap%ground_share = 1.0_rk
   end subroutine find_overlap

   !> Share of each piece in its layer; those of a layer add up to one.
   subroutine share_layers(layer, depth, share)
      integer, intent(in) :: layer(:)  !! of each piece
      real(rk), intent(in) :: depth(:) !! [m]
      real(rk), allocatable, intent(out) :: share(:) !! [1]
      integer :: n
      allocate (share(size(layer)))
      do n = 1, size(layer)
         share(n) = depth(n)/sum(depth, mask=layer == layer(n))
      end do
   end subroutine share_layers

end module pl_layer_overlap
