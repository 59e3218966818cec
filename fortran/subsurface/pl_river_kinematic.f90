!> A reach as a kinematic wave: Manning's equation in a rectangular channel.
!>
!>     dS/dt = inflow - Q,   Q = (sqrt(slope)/n) A**(5/3) P**(-2/3),   A = w h = S/L,   P = w + 2 h
!>
!> (Lighthill and Whitham 1955; Chow, Maidment and Mays 1988, Applied Hydrology, section 9.3), upwind in space and
!> backward Euler in time. Upstream comes first, so that a reach is one equation in h; it is monotonic and has one root
!> between 0 and all the water, for any step. With u = h**(1/3) it is a convex polynomial times P**(-2/3): Newton's
!> method from above converges without overshooting. The outflow is booked before the storage: it closes to round-off.
!>
!> Only + - * / and sqrt are used: a member has the same bits whatever stands beside it.
module pl_river_kinematic
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: cube_root, route_kinematic

   integer, parameter :: most_iterations = 200               !! a factor 4/5 per step at least, down from all the water
   real(rk), parameter :: tolerance = 8.0_rk*epsilon(1.0_rk) !! relative change of u that is round-off [1]

contains

   !> Cube root of a number that is not negative, from square roots and Halley's method.
   elemental real(rk) function cube_root(x)
      real(rk), intent(in) :: x !! [any]
      real(rk) :: part, y
      integer :: k
      y = max(x, tiny(x))
      part = sqrt(sqrt(y))
      y = part
      do k = 1, 3 ! x**(1/3) is x**(1/4 + 1/16 + 1/64 + 1/256 + ...); off by 10 % at most from 1e-30 to 1e30
         part = sqrt(sqrt(part))
         y = y*part
      end do
      do k = 1, 3
         y = closer_root(y, max(x, tiny(x)))
      end do
      cube_root = merge(y, 0.0_rk, x > 0.0_rk)
   end function cube_root

   !> A step of Halley's method for the cube root: it cubes the relative error.
   elemental real(rk) function closer_root(root, x)
      real(rk), intent(in) :: root !! estimate
      real(rk), intent(in) :: x    !! number whose root is wanted, > 0
      real(rk) :: cube
      cube = root*root*root
      closer_root = root*(cube + 2.0_rk*x)/(2.0_rk*cube + x)
   end function closer_root

   !> Advance a reach of all members of a block.
   pure subroutine route_kinematic(n, dt, length, width, conveyance, inflow, storage, outflow, converged)
      integer, intent(in) :: n                !! members
      real(rk), intent(in) :: dt              !! step [s]
      real(rk), intent(in) :: length          !! of the reach [m]
      real(rk), intent(in) :: width           !! of the channel [m]
      real(rk), intent(in) :: conveyance      !! sqrt(slope)/n of Manning [m1/3 s-1]
      real(rk), intent(in) :: inflow(n)       !! within the step [m3]
      real(rk), intent(inout) :: storage(n)   !! [m3]
      real(rk), intent(out) :: outflow(n)     !! within the step [m3]
      logical, intent(out) :: converged       !! whether Newton's method ended for all members
      real(rk) :: water(n), u(n), root(n), square, depth, perimeter, passed, gain, change
      real(rk) :: flat, strength
      logical :: is_open(n)
      integer :: i, iteration
      flat = width*length
      strength = dt*conveyance*width*cube_root(width*width) ! dt sqrt(slope)/n w**(5/3)
      do i = 1, n
         water(i) = storage(i) + inflow(i)
         u(i) = cube_root(water(i)/flat)
         root(i) = cube_root(width + 2.0_rk*water(i)/flat)
         is_open(i) = u(i) > 0.0_rk
      end do
      do iteration = 1, most_iterations
         if (.not. any(is_open)) exit
         do i = 1, n
            square = u(i)*u(i)
            depth = square*u(i)
            perimeter = width + 2.0_rk*depth
            root(i) = merge(closer_root(root(i), perimeter), root(i), is_open(i)) ! converges along with u
            passed = strength*square*square/(root(i)*root(i)) ! outflow over u
            gain = 3.0_rk*flat*square + passed*(5.0_rk - 4.0_rk*depth/perimeter)
            change = (flat*depth + passed*u(i) - water(i))/merge(gain, 1.0_rk, is_open(i))
            change = merge(change, 0.0_rk, is_open(i))
            u(i) = u(i) - change
            is_open(i) = abs(change) > tolerance*u(i)
         end do
      end do
      converged = .not. any(is_open)
      do i = 1, n
         depth = u(i)*u(i)*u(i)
         root(i) = closer_root(root(i), width + 2.0_rk*depth)
         outflow(i) = min(strength*depth*u(i)*u(i)/(root(i)*root(i)), water(i))
         storage(i) = water(i) - outflow(i)
      end do
   end subroutine route_kinematic

end module pl_river_kinematic
