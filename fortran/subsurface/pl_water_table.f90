!> Depth of the water table in a chunk of columns.
module pl_water_table
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: water_table_depth

contains

   !> Depth to the top of the saturated zone that reaches the base: where the head between nodes is 0.
   !>
   !> Below the lowest and above the highest node the head is taken as hydrostatic. 0 where all is saturated, the
   !> depth of
   !> the base where nothing is.
   pure subroutine water_table_depth(nlayer, thickness, pressure_head, depth)
      integer, intent(in) :: nlayer                    !! layers [1]
      real(rk), intent(in) :: thickness(w, nlayer)     !! [m]
      real(rk), intent(in) :: pressure_head(w, nlayer) !! [m]
      real(rk), intent(out) :: depth(w)                !! below the surface [m]
      real(rk) :: node(w), base(w), reached, distance, share
      logical :: connected(w)
      integer :: i, k
      base = sum(thickness, dim=2)
      node = base - 0.5_rk*thickness(:, nlayer)
      do i = 1, w
         depth(i) = min(node(i) - pressure_head(i, nlayer), base(i))
         connected(i) = pressure_head(i, nlayer) >= 0.0_rk
      end do
      do k = nlayer - 1, 1, -1
         do i = 1, w
            distance = 0.5_rk*(thickness(i, k) + thickness(i, k + 1))
            share = max(pressure_head(i, k + 1), 0.0_rk)/max(pressure_head(i, k + 1) - pressure_head(i, k), tiny(share))
            reached = merge(node(i) - distance - pressure_head(i, k), node(i) - distance*min(share, 1.0_rk), &
                            pressure_head(i, k) >= 0.0_rk)
            depth(i) = merge(reached, depth(i), connected(i))
            connected(i) = connected(i) .and. pressure_head(i, k) >= 0.0_rk
            node(i) = node(i) - distance
         end do
      end do
      depth = max(depth, 0.0_rk)
   end subroutine water_table_depth

end module pl_water_table
